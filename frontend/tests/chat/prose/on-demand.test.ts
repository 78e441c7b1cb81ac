import { beforeEach, describe, expect, test } from 'vitest'
import { OnDemand } from '../../../src/chat/prose/on-demand'

let waiting: { ms: number; run: () => void }[]
let time: number
const clock = {
  after: (ms: number, run: () => void) => void waiting.push({ ms, run }),
  now: () => time,
  random: () => 1,
}
beforeEach(() => {
  waiting = []
  time = 0
})

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Run what waits, and what comes of it. */
async function passTime(): Promise<void> {
  const due = waiting
  waiting = []
  for (const { run } of due) run()
  await settled()
}

describe('a tool that cannot be loaded', () => {
  test('is tried again, ever more rarely, and does its work in the end', async () => {
    let online = false
    const tool = new OnDemand(async () => (online ? 2 : Promise.reject(new TypeError('Failed to fetch'))), clock)
    const outcome = tool.ask((two) => two * 21)
    await settled()
    const waits: number[] = []
    for (let attempt = 0; attempt < 4; attempt += 1) {
      waits.push(waiting[0]?.ms ?? 0)
      await passTime()
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000])
    expect(outcome.state.value).toBeNull()
    online = true
    await passTime()
    expect(outcome.state.value).toBe(42)
  })

  test('is given up, until something is asked of it again', async () => {
    let loads = 0
    const tool = new OnDemand(() => Promise.reject(new Error(`no ${++loads}`)), clock)
    tool.ask(() => 1)
    await settled()
    while (waiting.length > 0) await passTime()
    expect(loads).toBe(10)
    tool.ask(() => 1)
    expect(loads).toBe(11)
  })
})

test('it is loaded once, and only when it is wanted', async () => {
  let loads = 0
  const tool = new OnDemand(async () => ++loads, clock)
  expect(loads).toBe(0)
  tool.ask(String)
  const outcome = tool.ask(String)
  await settled()
  expect([loads, outcome.state.value]).toEqual([1, '1'])
  expect(tool.ask(String).state.value).toBe('1') // at once
})

test('much work is done in slices, with room between for the page', async () => {
  const tool = new OnDemand(async () => 1, clock)
  const outcomes = Array.from({ length: 7 }, (_, number) =>
    tool.ask(() => {
      time += 3
      return number
    }),
  )
  const done = () => outcomes.filter(({ state }) => state.value !== null).length
  await settled()
  const counts = [done()]
  while (waiting.length > 0) {
    await passTime()
    counts.push(done())
  }
  expect(counts).toEqual([3, 6, 7, 7])
})

test('work that fails leaves nothing, and hinders nothing', async () => {
  const tool = new OnDemand(async () => 1, clock)
  const bad = tool.ask(() => {
    throw new RangeError('too deep')
  })
  const good = tool.ask(String)
  await settled()
  expect([bad.state.value, good.state.value]).toEqual([null, '1'])
})
