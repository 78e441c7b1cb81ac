/** The processes on all machines. */

import type { ProcessSeen } from './api'
import { count, duration, size } from './format'
import { type Column, Table } from './table'

export function Processes({ processes }: { readonly processes: readonly ProcessSeen[] }) {
  return (
    <section aria-labelledby="processes">
      <Table
        caption={<h2 id="processes">Processes</h2>}
        columns={COLUMNS}
        rows={processes}
        id={(process) => process.id}
        by="Kind"
        empty="No process has been heard of in the last ten seconds."
      />
    </section>
  )
}

const up = ({ since }: ProcessSeen) => (Date.now() - new Date(since).getTime()) / 1000

function numbers(name: string, title: string, value: (process: ProcessSeen) => number | null): Column<ProcessSeen> {
  return { name, title, value, shown: (process) => count(value(process)), number: true }
}

const COLUMNS: readonly Column<ProcessSeen>[] = [
  {
    name: 'Kind',
    shown: ({ kind }) => <span class="cut">{kind}</span>,
    value: ({ kind, host, pid }) => `${kind} ${host} ${pid}`,
  },
  { name: 'Host', shown: ({ host }) => <span class="cut">{host}</span>, value: ({ host }) => host },
  { name: 'Pid', shown: ({ pid }) => pid, value: ({ pid }) => pid, number: true },
  {
    name: 'Version',
    shown: ({ version }) => <span class="cut">{version}</span>,
    value: ({ version }) => version,
    spare: true,
  },
  { name: 'Up', title: 'Since it began', shown: (process) => duration(up(process)), value: up, number: true },
  {
    name: 'Running',
    title: 'Generations, of so many that it would run at once',
    shown: ({ running, limit }) => (running === null ? '–' : `${count(running)} of ${count(limit)}`),
    value: ({ running }) => running,
    number: true,
  },
  numbers('Viewers', 'Streams that are followed there', ({ viewers }) => viewers),
  numbers('Connections', 'Open WebSockets and event streams', ({ connections }) => connections),
  numbers('Tails', 'Streams held in memory, each once for all its viewers', ({ tails }) => tails),
  { name: 'Memory', shown: ({ memory }) => size(memory), value: ({ memory }) => memory, number: true },
  {
    name: 'Heard',
    title: 'So long ago; after ten seconds it is not shown any more',
    shown: ({ heard }) => duration(heard),
    value: ({ heard }) => heard,
    number: true,
    spare: true,
  },
]
