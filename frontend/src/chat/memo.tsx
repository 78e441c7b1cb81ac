import { Component, type FunctionComponent } from 'preact'

/** A view that is drawn again by those around it only when it is given something else. */
export function memo<P extends object>(View: FunctionComponent<P>): new (props: P) => Component<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const names = Object.keys(next) as (keyof P)[]
      return names.some((name) => next[name] !== this.props[name])
    }

    override render(props: P) {
      return <View {...props} />
    }
  }
}
