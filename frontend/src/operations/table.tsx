/** A table whose columns can be sorted by, with the keyboard too. */

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

export interface Column<T> {
  readonly name: string
  /** What the name means, for whoever points at it. */
  readonly title?: string
  readonly shown: (row: T) => ComponentChildren
  /** What it is sorted by; those without are last. */
  readonly value: (row: T) => number | string | null
  /** Numbers are aligned at their end. */
  readonly number?: boolean
  /** Left out where there is little room. */
  readonly spare?: boolean
}

interface Props<T> {
  readonly caption: ComponentChildren
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly id: (row: T) => string
  /** The name of the column that it is sorted by at first. */
  readonly by: string
  readonly descending?: boolean
  readonly empty: string
}

export function Table<T>({ caption, columns, rows, id, by, descending = false, empty }: Props<T>) {
  const [sorted, sort] = useState({ by, descending })
  const column = columns.find((each) => each.name === sorted.by)
  const inOrder = column ? [...rows].sort(order(column.value, sorted.descending)) : rows
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard
    <div class="scrolled" tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((each) => (
              <th
                key={each.name}
                scope="col"
                class={classes(each)}
                aria-sort={each.name !== sorted.by ? undefined : sorted.descending ? 'descending' : 'ascending'}
              >
                <button
                  type="button"
                  title={each.title}
                  onClick={() =>
                    sort({
                      by: each.name,
                      descending: each.name === sorted.by ? !sorted.descending : Boolean(each.number),
                    })
                  }
                >
                  {each.name}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {inOrder.map((row) => (
            <tr key={id(row)}>
              {columns.map((each) => (
                <td key={each.name} class={classes(each)}>
                  {each.shown(row)}
                </td>
              ))}
            </tr>
          ))}
          {!rows.length && (
            <tr>
              <td class="empty" colSpan={columns.length}>
                {empty}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  )
}

/** For `Array.sort`: what has no value comes last, whichever way it is sorted. */
export function order<T>(value: (row: T) => number | string | null, descending: boolean): (one: T, two: T) => number {
  return (one, two) => {
    const [a, b] = [value(one), value(two)]
    if (a === null || b === null) return Number(a === null) - Number(b === null)
    const rising = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))
    return descending ? -rising : rising
  }
}

function classes<T>({ number, spare }: Column<T>): string | undefined {
  return [number && 'number', spare && 'spare'].filter(Boolean).join(' ') || undefined
}
