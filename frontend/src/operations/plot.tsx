/** Plots as plain SVG: bars that are stacked, or lines. Each says in words what it shows. */

import { useId } from 'preact/hooks'
import type { Series } from './api'
import { count, rate } from './format'

const WIDTH = 360
const HEIGHT = 132
const LEFT = 34 // for the numbers beside it
const BOTTOM = 16 // for the words below it
const TOP = 6
const RIGHT = 4

export interface Layer {
  readonly name: string
  /** Names its colour, in operations.css. */
  readonly colour: string
  readonly values: Series
}

interface Props {
  readonly title: string
  readonly unit?: string
  readonly layers: readonly Layer[]
  readonly bars?: boolean
  /** Words of each place, and those of some below the plot. */
  readonly places: readonly string[]
  readonly below: readonly string[]
  readonly summary: string
}

export function Plot({ title, unit, layers, bars = false, places, below, summary }: Props) {
  const heading = useId()
  const tops = places.map((_, place) => {
    const values = layers.map((layer) => layer.values[place] ?? 0)
    return bars ? values.reduce((sum, value) => sum + value, 0) : Math.max(0, ...values)
  })
  const most = roundUp(Math.max(...tops, 0))
  const x = (place: number) => LEFT + ((WIDTH - LEFT - RIGHT) * place) / places.length
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most)
  return (
    <figure class="plot" aria-labelledby={heading}>
      <figcaption id={heading}>
        {title} {unit && <small>{unit}</small>}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(most * part)} y2={y(most * part)} />
            <text class="scale" x={LEFT - 5} y={y(most * part) + 3.5} text-anchor="end">
              {short(most * part)}
            </text>
          </g>
        ))}
        {bars ? (
          <Bars layers={layers} places={places} x={x} y={y} />
        ) : (
          layers.map((layer) => <Line key={layer.name} layer={layer} x={(place) => x(place + 0.5)} y={y} />)
        )}
        {below.map((each, place) => (
          <text
            key={each}
            class="scale"
            x={LEFT + ((WIDTH - LEFT - RIGHT) * place) / (below.length - 1)}
            y={HEIGHT - 3}
            text-anchor={place === 0 ? 'start' : place === below.length - 1 ? 'end' : 'middle'}
          >
            {each}
          </text>
        ))}
      </svg>
      {layers.length > 1 && (
        <ul class="legend">
          {layers.map((layer) => (
            <li key={layer.name} class={layer.colour}>
              {layer.name}
            </li>
          ))}
        </ul>
      )}
      <p>{summary}</p>
    </figure>
  )
}

interface Scale {
  readonly x: (place: number) => number
  readonly y: (value: number) => number
}

function Bars({
  layers,
  places,
  x,
  y,
}: Scale & { readonly layers: readonly Layer[]; readonly places: readonly string[] }) {
  return (
    <>
      {places.map((words, place) => {
        let base = 0
        const parts = layers.map((layer) => {
          const value = layer.values[place] ?? 0
          const bottom = y(base)
          base += value
          return { layer, value, top: y(base), bottom }
        })
        const width = x(place + 1) - x(place)
        return (
          <g key={words}>
            <title>{`${words}: ${parts.map(({ layer, value }) => `${count(value)} ${layer.name}`).join(', ')}`}</title>
            <rect class="hit" x={x(place)} y={TOP} width={width} height={HEIGHT - TOP - BOTTOM} />
            {parts
              .filter(({ value }) => value > 0)
              .map(({ layer, top, bottom }) => (
                <rect
                  key={layer.name}
                  class={`bar ${layer.colour}`}
                  x={x(place) + width * 0.1}
                  y={top}
                  width={width * 0.8}
                  height={bottom - top}
                />
              ))}
          </g>
        )
      })}
    </>
  )
}

function Line({ layer, x, y }: Scale & { readonly layer: Layer }) {
  return (
    <>
      {runs(layer.values).map((run) => {
        const points = run.map(([place, value]) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`)
        const [first, last] = [run[0], run[run.length - 1]]
        if (!first || !last) return null
        if (run.length === 1) return <circle class={`dot ${layer.colour}`} cx={x(first[0])} cy={y(first[1])} r={2} />
        return (
          <g key={first[0]}>
            <polygon
              class={`area ${layer.colour}`}
              points={`${x(first[0])},${y(0)} ${points.join(' ')} ${x(last[0])},${y(0)}`}
            />
            <polyline class={`line ${layer.colour}`} points={points.join(' ')} />
          </g>
        )
      })}
    </>
  )
}

/** The parts of a series that are known without a gap: places and values. */
export function runs(values: Series): [number, number][][] {
  const found: [number, number][][] = []
  let run: [number, number][] = []
  for (const [place, value] of values.entries()) {
    if (value !== null) {
      if (!run.length) found.push(run)
      run.push([place, value])
    } else run = []
  }
  return found
}

/** The next number that is easy to halve and to read: 2, 4, 10, 20, 40, 100 … */
export function roundUp(value: number): number {
  if (value <= 2) return 2
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 4, 6, 8, 10].find((each) => value <= each * power) ?? 10
  return step * power
}

function short(value: number): string {
  if (value >= 1_000_000) return `${rate(value / 1_000_000)} M`
  if (value >= 10_000) return `${rate(value / 1000)} k`
  return Number.isInteger(value) ? count(value) : rate(value)
}
