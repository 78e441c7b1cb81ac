/** How it was: what is plotted, and what each plot says in words. */

import { type History, OUTCOMES, type Series, type Span } from './api'
import { bound, count, duration, plural, rate, share, timeOfDay } from './format'
import { type Layer, Plot } from './plot'

interface Props {
  readonly history: History
  readonly span: Span
}

export function Plots({ history, span }: Props) {
  const places = placesOf(history)
  const below = span === 'hour' ? ['an hour ago', '30 min', 'now'] : ['a day ago', '12 h', 'now']
  const time = { places, below }
  const step = span === 'hour' ? 'a minute' : 'half an hour'
  return (
    <div class="plots">
      <Plot
        title="Endings"
        unit={`in ${step}`}
        bars
        layers={OUTCOMES.map((outcome) => ({ name: outcome, colour: outcome, values: history.ended[outcome] }))}
        summary={endings(history, span)}
        {...time}
      />
      <Plot
        title="Speed"
        unit="tokens a second, about"
        layers={[layer('speed', history.deltas)]}
        summary={held(history.deltas, span, rate)}
        {...time}
      />
      <Plot
        title="Viewers"
        unit="at a time"
        layers={[layer('viewers', history.viewers)]}
        summary={held(history.viewers, span, count)}
        {...time}
      />
      <Plot
        title="Generations"
        unit="at a time"
        layers={[layer('running', history.running), { name: 'waiting', colour: 'waiting', values: history.waiting }]}
        summary={`${held(history.running, span, count)} At most ${count(highest(history.waiting))} waited.`}
        {...time}
      />
      <Waits title="Wait in the queue" bounds={history.waits.bounds} counts={history.waits.queue} />
      <Waits title="Until the first word" bounds={history.waits.bounds} counts={history.waits.first_token} />
    </div>
  )
}

function layer(name: string, values: Series): Layer {
  return { name, colour: 'some', values }
}

function Waits({
  title,
  bounds,
  counts,
}: {
  readonly title: string
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
}) {
  const total = counts.reduce((sum, each) => sum + each, 0)
  const places = counts.map((_, place) => {
    const upTo = bounds[place]
    return upTo === undefined ? `longer than ${bound(bounds[place - 1] ?? 0)}` : `up to ${bound(upTo)}`
  })
  const summary = total
    ? `Of ${count(total)}, half within ${within(bounds, counts, 0.5)}, 95 % within ${within(bounds, counts, 0.95)}.`
    : 'None in this time.'
  return (
    <Plot
      title={title}
      unit="how many took so long"
      bars
      layers={[{ name: 'times', colour: 'some', values: counts }]}
      places={places}
      below={['10 ms', '2.5 s', '10 min']}
      summary={summary}
    />
  )
}

/** The bound within which so much of it was. */
export function within(bounds: readonly number[], counts: readonly number[], part: number): string {
  const wanted = part * counts.reduce((sum, each) => sum + each, 0)
  let sum = 0
  for (const [place, value] of counts.entries()) {
    sum += value
    const upTo = bounds[place]
    if (sum >= wanted && upTo !== undefined) return bound(upTo)
  }
  return `more than ${duration(bounds[bounds.length - 1] ?? 0)}`
}

export function placesOf({ begins, step, viewers }: History): string[] {
  const start = new Date(begins).getTime()
  return viewers.map((_, place) => timeOfDay(new Date(start + place * step * 1000), false))
}

export function endings({ ended }: History, span: Span): string {
  const sums = OUTCOMES.map((outcome) => ({ outcome, sum: ended[outcome].reduce((sum, each) => sum + each, 0) }))
  const total = sums.reduce((sum, each) => sum + each.sum, 0)
  const words = span === 'hour' ? 'in the last hour' : 'in the last day'
  if (!total) return `No answer has ended ${words}.`
  const parts = sums
    .filter(({ sum }) => sum)
    .map(({ outcome, sum }) => `${count(sum)} ${outcome} (${share(sum, total)})`)
  return `${plural(total, 'answer')} ${words}: ${parts.join(', ')}.`
}

function held(values: Series, span: Span, written: (value: number | null) => string): string {
  const now = values[values.length - 1] ?? null
  const [lately, words] = span === 'hour' ? ['minute', 'hour'] : ['half hour', 'day']
  return `${written(now)} in the last ${lately}, at most ${written(highest(values))} in the ${words}.`
}

function highest(values: Series): number | null {
  return values.reduce<number | null>((most, each) => (each === null ? most : Math.max(most ?? 0, each)), null)
}
