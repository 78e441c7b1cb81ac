/** Numbers in few characters. */

export const NOTHING = '–'

const WHOLE = new Intl.NumberFormat('en')
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

export function count(value: number | null): string {
  return value === null ? NOTHING : WHOLE.format(Math.round(value))
}

/** With a decimal where it is small. */
export function rate(value: number | null): string {
  if (value === null) return NOTHING
  return value > 0 && value < 10 ? value.toFixed(1) : count(value)
}

export function size(bytes: number | null): string {
  if (bytes === null) return NOTHING
  let unit = 0
  let value = bytes
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`
}

export function duration(seconds: number | null): string {
  if (seconds === null) return NOTHING
  if (seconds < 0) return `−${duration(-seconds)}`
  if (seconds < 0.1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  if (seconds < 99.5) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 100) return `${minutes} min`
  const hours = Math.round(seconds / 3600)
  return hours < 48 ? `${hours} h` : `${Math.round(seconds / 86_400)} d`
}

/** As a bound of a distribution. */
export function bound(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  return seconds < 60 ? `${seconds} s` : `${seconds / 60} min`
}

export function share(part: number, whole: number): string {
  if (!whole) return NOTHING
  const percent = (100 * part) / whole
  return percent > 0 && percent < 10 ? `${percent.toFixed(1)} %` : `${Math.round(percent)} %`
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** Ids are long, and their beginning tells them apart. */
export function short(id: string): string {
  return id.length > 12 ? `${id.slice(0, 11)}…` : id
}

export function timeOfDay(moment: Date | string, seconds = true): string {
  const at = typeof moment === 'string' ? new Date(moment) : moment
  return at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', ...(seconds && { second: '2-digit' }) })
}
