/** The streams in flight. */

import { useMemo } from 'preact/hooks'
import type { Operations, ProcessSeen, StreamSeen } from './api'
import type { Desk } from './desk'
import { count, duration, plural, rate, short, size } from './format'
import { MANY } from './state'
import { type Column, Table } from './table'

interface Props {
  readonly desk: Desk
  readonly now: Operations
}

export function Streams({ desk, now }: Props) {
  const columns = useMemo(() => columnsOf(desk, now.processes ?? []), [desk, now.processes])
  if (!now.streams) return null
  const { total, shown, unreachable } = now.streams
  const more = total - shown.length - unreachable
  return (
    <section aria-labelledby="streams">
      <Table
        caption={<h2 id="streams">Streams in flight</h2>}
        columns={columns}
        rows={shown}
        id={(stream) => stream.stream}
        by="Age"
        descending
        empty="Nothing is being written."
      />
      {more > 0 && (
        <p class="more">
          And {count(more)} more. Shown are those that somebody has to look after the soonest.{' '}
          {shown.length < MANY && (
            <button type="button" class="plain undo" onClick={() => desk.showMore()}>
              Show up to {count(MANY)}
            </button>
          )}
        </p>
      )}
      {unreachable > 0 && (
        <p class="more bad" role="alert">
          {plural(unreachable, 'stream')} cannot be seen: a server of the cluster does not answer.
        </p>
      )}
    </section>
  )
}

function columnsOf(desk: Desk, processes: readonly ProcessSeen[]): Column<StreamSeen>[] {
  const workers = new Map(processes.map((process) => [process.id, `${process.host}:${process.pid}`]))
  const workerOf = ({ worker }: StreamSeen) => (worker === null ? null : (workers.get(worker) ?? worker))
  return [
    {
      name: 'Stream',
      shown: ({ stream }) => (
        <button type="button" class="id" title={stream} onClick={() => desk.open(stream)}>
          {short(stream)}
        </button>
      ),
      value: ({ stream }) => stream,
    },
    { name: 'State', shown: (stream) => <StateOf stream={stream} />, value: stateOf },
    {
      name: 'Age',
      title: 'Since it was queued',
      shown: ({ age }) => duration(age),
      value: ({ age }) => age,
      number: true,
    },
    {
      name: 'Model',
      shown: ({ model }) => <span class="cut">{model ?? '–'}</span>,
      value: ({ model }) => model,
      spare: true,
    },
    {
      name: 'Conversation',
      shown: ({ conversation }) => <span title={conversation ?? undefined}>{short(conversation ?? '–')}</span>,
      value: ({ conversation }) => conversation,
      spare: true,
    },
    { name: 'Chunks', shown: ({ chunks }) => count(chunks), value: ({ chunks }) => chunks, number: true },
    {
      name: 'Size',
      title: 'In Redis’s memory, about',
      shown: ({ bytes }) => size(bytes),
      value: ({ bytes }) => bytes,
      number: true,
      spare: true,
    },
    {
      name: 'Speed',
      title: 'Tokens a second, about: pieces of text as the model sends them',
      shown: ({ deltas_per_second }) => rate(deltas_per_second),
      value: ({ deltas_per_second }) => deltas_per_second,
      number: true,
    },
    {
      name: 'Viewers',
      title: 'In all web processes',
      shown: ({ viewers }) => count(viewers),
      value: ({ viewers }) => viewers,
      number: true,
    },
    {
      name: 'Grew',
      title: 'So long ago new chunks were last found',
      shown: ({ grown }) => duration(grown),
      value: ({ grown }) => grown,
      number: true,
    },
    {
      name: 'Lease',
      title: 'Until its worker is taken for dead, or it is given up in the queue',
      shown: ({ lease }) => <span class={lease !== null && lease < 0 ? 'wait' : undefined}>{duration(lease)}</span>,
      value: ({ lease }) => lease,
      number: true,
      spare: true,
    },
    {
      name: 'Worker',
      shown: (stream) => <span class="cut">{workerOf(stream) ?? '–'}</span>,
      value: workerOf,
      spare: true,
    },
  ]
}

export function stateOf(stream: StreamSeen): string {
  if (stream.outcome) return stream.outcome
  return stream.stopping ? 'stopping' : stream.state
}

/** A word, and a colour beside it. */
export function StateOf({ stream }: { readonly stream: StreamSeen }) {
  const state = stateOf(stream)
  return (
    <span class={`state ${state}`} title={stream.reason ?? undefined}>
      {state}
      {stream.again && <small title="Its first worker died before the first chunk"> again</small>}
    </span>
  )
}
