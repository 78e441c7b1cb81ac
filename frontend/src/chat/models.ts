/** Which model answers: what can be chosen, what was, and what is asked where nothing was. */

import { type Api, ApiError } from './api'
import type { Lasting } from './lasting'
import type { State } from './state'
import type { Store } from './store'

const LAST = 'model'
const CHOICE = 'choice' // whether there was one when this browser was last told

export class ModelChoice {
  readonly #store: Store<State>
  readonly #api: Pick<Api, 'models'>
  readonly #lasting: Lasting

  constructor(store: Store<State>, api: Pick<Api, 'models'>, lasting: Lasting) {
    this.#store = store
    this.#api = api
    this.#lasting = lasting
    store.set({ lastPicked: lasting.get(LAST), hadChoice: lasting.get(CHOICE) !== '' })
  }

  /** Ask which there are. What cannot be read now is asked for when the link is back. */
  async refresh(): Promise<void> {
    try {
      const models = await this.#api.models()
      this.#store.set({ models })
      this.#lasting.set(CHOICE, isChoice(this.#store.state) ? 'yes' : '')
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  /** Have this one answer from now on, here and in new conversations. */
  pick(model: string): void {
    this.#lasting.set(LAST, model)
    this.#store.set({ picked: model, lastPicked: model })
  }
}

/** Whether there is anything to choose. */
export function isChoice(state: State): boolean {
  return state.models.models.length > 1
}

/** Whether there will be, as far as one knows: until that is told, its place is kept, so that nothing is moved by it. */
export function isChoiceAwaited(state: State): boolean {
  return state.hadChoice && !state.guest && state.models.models.length === 0
}

/**
 * The model that answers next: the one that was chosen here; in a conversation the one that answered last, in a new one
 * the one that was chosen last; unless it is no longer there. null: there is no choice, and the server takes its own.
 */
export function chosenModel(state: State): string | null {
  if (!isChoice(state)) return null
  const { models, picked, lastPicked, conversation } = state
  const answers = conversation?.messages.filter((message) => message.role === 'assistant') ?? []
  const remembered = answers.length > 0 ? answers.at(-1)?.model : lastPicked
  return [picked, remembered].find((model) => model && models.models.includes(model)) ?? models.default
}
