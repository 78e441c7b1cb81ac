/**
 * A long list or table is drawn in groups. Whenever there is one item more, the browser looks at each of the elements
 * beside it again: so at the groups, and at the items of the last one only.
 */

export const GROUP = 50 // the root of what a very long answer holds

export function groupsOf<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / GROUP) }, (_, at) => all.slice(at * GROUP, (at + 1) * GROUP))
}
