import { Component, type FunctionComponent } from 'preact'

/** A view that is drawn again by those around it only when it is given something else. A list of the same things is the same. */
export function memo<P extends object>(View: FunctionComponent<P>): new (props: P) => Component<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const names = Object.keys(next) as (keyof P)[]
      return names.some((name) => !isSame(next[name], this.props[name]))
    }

    override render(props: P) {
      return <View {...props} />
    }
  }
}

function isSame(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other
  return one.length === other.length && one.every((it, at) => it === other[at])
}
