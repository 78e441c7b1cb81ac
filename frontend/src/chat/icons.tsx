/** The few pictures of the page, drawn in the colour of the text around them. */

const PATHS = {
  menu: 'M3 6h18M3 12h18M3 18h18',
  plus: 'M12 5v14M5 12h14',
  send: 'M12 19V5M5 12l7-7 7 7',
  stop: 'M7 7h10v10H7z',
  rename: 'M4 20h4L19 9l-4-4L4 16z',
  remove: 'M5 7h14M10 11v6M14 11v6M7 7l1 13h8l1-13M9 7V4h6v3',
  again: 'M20 12a8 8 0 1 1-2.5-5.8M20 4v4h-4',
  onwards: 'M4 12h14M13 6l6 6-6 6',
  previous: 'M14 6l-6 6 6 6',
  next: 'M10 6l6 6-6 6',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  done: 'M5 12l5 5 9-10',
  close: 'M6 6l12 12M18 6L6 18',
  share: 'M12 15V4M8 7l4-4 4 4M5 12v8h14v-8',
  talk: 'M4 5h16v11H10l-5 4v-4H4z',
  more: 'M5 11.5a.5.5 0 1 0 0 1 .5.5 0 0 0 0-1M12 11.5a.5.5 0 1 0 0 1 .5.5 0 0 0 0-1M19 11.5a.5.5 0 1 0 0 1 .5.5 0 0 0 0-1',
  eye: 'M2 12c3-5 6-7 10-7s7 2 10 7c-3 5-6 7-10 7s-7-2-10-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6',
  proof: 'M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM8.5 12l2.5 2.5 4.5-5',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 20c1-4 4-5 8-5s7 1 8 5',
  down: 'M12 5v14M5 12l7 7 7-7',
} as const

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
