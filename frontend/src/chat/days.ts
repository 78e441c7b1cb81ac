/** Says when something was: of conversations, which come newest first, the day; of what was said, the time too. */

import type { Summary } from './api'

export interface Day {
  /** For a heading: “Today”, “Yesterday”, “Last 7 days”, “March”, “March 2025”. */
  readonly name: string
  readonly items: readonly Summary[]
}

/** `now` is a moment of the person's own clock; days are those of their own calendar. */
export function byDay(list: readonly Summary[], now: Date): readonly Day[] {
  const days = new Map<string, Summary[]>()
  for (const item of list) {
    const name = nameOf(new Date(item.updated_at), now)
    days.set(name, [...(days.get(name) ?? []), item])
  }
  return Array.from(days, ([name, items]) => ({ name, items }))
}

function nameOf(moment: Date, now: Date): string {
  const ago = daysBetween(moment, now)
  if (ago <= 0) return 'Today'
  if (ago === 1) return 'Yesterday'
  if (ago <= 7) return 'Last 7 days'
  const sameYear = moment.getFullYear() === now.getFullYear()
  return moment.toLocaleDateString('en', sameYear ? { month: 'long' } : { month: 'long', year: 'numeric' })
}

/** When something was said, as short as it can be: today's need no day. */
export function timeOf(moment: Date, now: Date): string {
  const time = { hour: '2-digit', minute: '2-digit' } as const
  if (daysBetween(moment, now) <= 0) return moment.toLocaleTimeString([], time)
  const sameYear = moment.getFullYear() === now.getFullYear()
  const day = { day: 'numeric', month: 'short', year: sameYear ? undefined : 'numeric' } as const
  return moment.toLocaleString([], { ...day, ...time })
}

/** Whole days of the calendar. Noon, because some days have 23 hours and some 25. */
function daysBetween(from: Date, to: Date): number {
  const noon = (moment: Date) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate(), 12).getTime()
  return Math.round((noon(to) - noon(from)) / 86_400_000)
}
