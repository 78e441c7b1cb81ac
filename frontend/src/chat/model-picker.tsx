import { chosenModel, isChoice, isChoiceAwaited } from './models'
import type { Page } from './page'
import { useStore } from './use-store'

/** Which model answers next; nothing where there is only one. */
export function ModelPicker({ page }: { page: Page }) {
  const choice = useStore(page.store, isChoice)
  const models = useStore(page.store, (state) => state.models.models)
  const chosen = useStore(page.store, chosenModel)
  const awaited = useStore(page.store, isChoiceAwaited)
  if (awaited) return <div class="model-picker" />
  if (!choice) return null
  return (
    <label class="model-picker">
      <span class="sr-only">Model</span>
      <select value={chosen ?? ''} onChange={(event) => page.models.pick(event.currentTarget.value)}>
        {models.map((model) => (
          <option key={model} value={model}>
            {model}
          </option>
        ))}
      </select>
    </label>
  )
}
