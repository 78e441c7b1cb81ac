/** The operations page. */

import { useStore } from '../chat/use-store'
import type { Operations, Span } from './api'
import { Counts } from './counts'
import type { Desk } from './desk'
import { count, duration, plural, rate, timeOfDay } from './format'
import { Plots } from './plots'
import { Processes } from './processes'
import type { Contact } from './state'
import { StreamDialog } from './stream-dialog'
import { Streams } from './streams'

const SPANS: readonly (readonly [Span, string])[] = [
  ['hour', 'Last hour'],
  ['day', 'Last day'],
]

export function App({ desk }: { readonly desk: Desk }) {
  const state = useStore(desk.store, (each) => each)
  const { now, history, contact, opened, span } = state
  return (
    <>
      <header class="head">
        <h1>
          <a href="/admin">Rejoinder</a> Operations
        </h1>
        <Badge contact={contact} now={now} />
        <nav aria-label="Beside this">
          <a href="/rq/">Queue</a> <a href="/metrics">Metrics</a>
        </nav>
      </header>
      <main class={contact.kind === 'lost' || contact.kind === 'signed-out' ? 'stale' : undefined}>
        {now?.troubles.map((trouble) => (
          <p key={trouble} class="trouble" role="alert">
            {trouble}
          </p>
        ))}
        {!now && contact.kind === 'connecting' && <p class="hint">Looking…</p>}
        {now && <Tiles now={now} />}
        {history && (
          <section aria-labelledby="history">
            <div class="title">
              <h2 id="history">How it was</h2>
              <fieldset class="spans">
                <legend class="sr-only">How far back</legend>
                {SPANS.map(([each, words]) => (
                  <label key={each}>
                    <input type="radio" name="span" checked={each === span} onChange={() => desk.show(each)} />
                    {words}
                  </label>
                ))}
              </fieldset>
            </div>
            <Plots history={history} span={history.step < 100 ? 'hour' : 'day'} />
          </section>
        )}
        {now && <Streams desk={desk} now={now} />}
        {now?.processes && <Processes processes={now.processes} />}
        {history && <Counts history={history} />}
      </main>
      {opened && <StreamDialog key={opened.id} desk={desk} opened={opened} now={now} />}
    </>
  )
}

function Badge({ contact, now }: { readonly contact: Contact; readonly now: Operations | null }) {
  const known = now ? ` What is shown is of ${timeOfDay(now.at)}.` : ''
  return (
    <p class={`contact ${contact.kind}`} role="status">
      {contact.kind === 'connecting' && 'Connecting'}
      {contact.kind === 'live' && 'Live'}
      {contact.kind === 'lost' && `No contact since ${timeOfDay(contact.since)}: ${contact.words}${known}`}
      {contact.kind === 'signed-out' && (
        <>
          Your session is over.{known} <a href="/admin/login?next=/admin/operations">Sign in</a>
        </>
      )}
    </p>
  )
}

function Tiles({ now }: { readonly now: Operations }) {
  const processes = now.processes ?? []
  const workers = processes.filter((process) => process.kind === 'worker')
  const webs = processes.filter((process) => process.kind === 'web')
  const sum = (values: readonly (number | null)[]) => values.reduce<number>((all, each) => all + (each ?? 0), 0)
  const limit = sum(workers.map((process) => process.limit))
  const speed = now.streams && sum(now.streams.shown.map((stream) => stream.deltas_per_second))
  return (
    <dl class="tiles">
      <Tile
        name="Streams in flight"
        value={count(now.streams?.total ?? null)}
        words={`${rate(speed)} tokens/s, about`}
      />
      <Tile
        name="Generations"
        value={count(sum(workers.map((process) => process.running)))}
        words={workers.length ? `of ${count(limit)}, ${plural(workers.length, 'worker')}` : 'no worker is there'}
        bad={now.processes !== null && !workers.length}
      />
      <Tile
        name="Waiting"
        value={count(now.queue?.waiting ?? null)}
        words={now.queue?.oldest ? `the longest for ${duration(now.queue.oldest)}` : 'nobody waits'}
        bad={(now.queue?.oldest ?? 0) > 10}
      />
      <Tile
        name="Viewers"
        value={count(sum(webs.map((process) => process.viewers)))}
        words={`${plural(webs.length, 'web process', 'web processes')}`}
      />
    </dl>
  )
}

interface TileProps {
  readonly name: string
  readonly value: string
  readonly words: string
  readonly bad?: boolean
}

function Tile({ name, value, words, bad = false }: TileProps) {
  return (
    <div class={bad ? 'tile bad' : 'tile'}>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong> <span>{words}</span>
      </dd>
    </div>
  )
}
