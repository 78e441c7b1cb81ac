/**
 * Which way a text reads. Where an element holds its own words, the browser knows (`dir="auto"`); it does not look into
 * what has a direction of its own, and so lists, quotes and tables are told.
 */

/** Letters of scripts that read from right to left: Hebrew, Arabic, Syriac, Thaana, NKo and their kin. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

const LETTER = /\p{L}/u

/** The direction of the first letter. */
export function directionOf(text: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.test(LETTER.exec(text)?.[0] ?? '') ? 'rtl' : 'ltr'
}
