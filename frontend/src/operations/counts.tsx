/** What has happened how often. docs/operations.md says what to do about it. */

import type { History } from './api'
import { count, plural, size, timeOfDay } from './format'

interface Line {
  readonly name: string
  readonly meaning: string
  readonly counter: string
  readonly bytes?: boolean
  /** Something is wrong, or was: there should be none. */
  readonly trouble?: boolean
}

const GROUPS: readonly { readonly name: string; readonly lines: readonly Line[] }[] = [
  {
    name: 'Who reads',
    lines: [
      { name: 'Begun to follow', counter: 'attaches', meaning: 'a viewer and a stream, each time' },
      { name: 'Resumed', counter: 'resumes', meaning: 'of those, with some of the text there already' },
      {
        name: 'Saved by resuming',
        counter: 'resume_saved_bytes',
        meaning: 'was there, and not sent again',
        bytes: true,
      },
      { name: 'Sent', counter: 'delivered_bytes', meaning: 'text, before framing', bytes: true },
      { name: 'Gaps filled', counter: 'gaps', meaning: 'notifications were missed, and read from the list' },
      { name: 'Slow readers', counter: 'blocked_writes', meaning: 'a socket took only a part of a frame' },
    ],
  },
  {
    name: 'Who writes',
    lines: [
      { name: 'Generations begun', counter: 'generations_started', meaning: 'by all workers' },
      {
        name: 'Begun again',
        counter: 'streams_begun_again',
        meaning: 'a worker died before the first chunk',
        trouble: true,
      },
      { name: 'Leases lost', counter: 'leases_lost', meaning: 'a worker died in mid-answer', trouble: true },
      { name: 'Saved by others', counter: 'reaper_saves', meaning: 'ended, and not saved by its own worker' },
      { name: 'Not saved', counter: 'reaper_save_failures', meaning: 'attempts; the database was away', trouble: true },
      { name: 'Written again', counter: 'rewritten_entries', meaning: 'chunks that Redis had lost', trouble: true },
    ],
  },
  {
    name: 'Who was refused, and what was lost',
    lines: [
      { name: 'Too many requests', counter: 'http_limited', meaning: 'answered 429: over a limit' },
      { name: 'Over sockets', counter: 'socket_refusals', meaning: 'what pages asked for in vain' },
      { name: 'Cut off', counter: 'cut_off', meaning: 'clients that ask and do not read', trouble: true },
      { name: 'By models', counter: 'model_refusals', meaning: 'requests not answered, or not wholly', trouble: true },
      {
        name: 'Not taken by Redis',
        counter: 'flush_failures',
        meaning: 'writings; each is tried again',
        trouble: true,
      },
      {
        name: 'Reconnected',
        counter: 'pubsub_reconnections',
        meaning: 'connections to Redis that were lost',
        trouble: true,
      },
    ],
  },
]

export function Counts({ history }: { readonly history: History }) {
  const since = new Date(history.counting_since)
  const minutes = Math.max(1, Math.round((Date.now() - since.getTime()) / 60_000))
  const span = minutes < 100 ? plural(minutes, 'minute') : plural(Math.round(minutes / 60), 'hour')
  return (
    <section aria-labelledby="counts">
      <h2 id="counts">
        What happened{' '}
        <small>
          since {timeOfDay(since, false)}, for {span}
        </small>
      </h2>
      <div class="counts">
        {GROUPS.map(({ name, lines }) => (
          <table key={name}>
            <caption>{name}</caption>
            <tbody>
              {lines.map((line) => {
                const value = history.counted[line.counter] ?? 0
                return (
                  <tr key={line.counter} class={line.trouble && value ? 'trouble' : undefined}>
                    <th scope="row">
                      {line.name} <small>{line.meaning}</small>
                    </th>
                    <td class="number">{line.bytes ? size(value) : count(value)}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        ))}
      </div>
    </section>
  )
}
