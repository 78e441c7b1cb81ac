/** The only hook with an effect: it draws a view again when what the view has chosen of a store changes. */

import { useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import type { Store } from './store'

/** `choose` must return the same object as long as nothing has changed. */
export function useStore<S extends object, T>(store: Store<S>, choose: (state: S) => T): T {
  const [, draw] = useReducer((times: number) => times + 1, 0)
  const chosen = choose(store.state)
  const drawn = useRef({ choose, chosen })
  drawn.current = { choose, chosen }
  useLayoutEffect(
    () =>
      store.subscribe(() => {
        if (drawn.current.choose(store.state) !== drawn.current.chosen) draw(undefined)
      }),
    [store],
  )
  return chosen
}
