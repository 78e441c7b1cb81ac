import { useState } from 'preact/hooks'
import { Dialog } from './dialog'
import type { Page } from './page'
import { useStore } from './use-store'

/** The conversation's instructions, and ways to take it along. */
export function ConversationDialog({ page }: { page: Page }) {
  const at = useStore(page.store, (state) => state.at)
  const prompt = useStore(page.store, (state) => state.conversation?.system_prompt ?? state.newPrompt)
  const [saving, setSaving] = useState(false)
  const save = async (form: HTMLFormElement) => {
    if (saving) return
    setSaving(true)
    if (await page.sharing.instruct(String(new FormData(form).get('prompt')))) form.closest('dialog')?.close()
    setSaving(false)
  }
  return (
    <Dialog page={page} title="This conversation">
      <form
        class="instructions"
        onSubmit={(event) => {
          event.preventDefault()
          void save(event.currentTarget)
        }}
      >
        <label>
          <span>Instructions for the model</span>
          <textarea
            name="prompt"
            rows={5}
            maxLength={20_000}
            dir="auto"
            placeholder="For example: answer briefly, and in French."
            defaultValue={prompt}
          />
        </label>
        <p class="terms">They hold from the next answer on, in this conversation only.</p>
        <button type="submit" class="primary">
          Save
        </button>
      </form>
      {at !== null && (
        <section class="export" aria-label="Take it along">
          <h3>Take it along</h3>
          <p>
            <a href={exportOf(at, 'markdown')} download>
              Markdown
            </a>
            <a href={exportOf(at, 'json')} download>
              JSON
            </a>
          </p>
        </section>
      )}
    </Dialog>
  )
}

function exportOf(conversation: string, format: 'markdown' | 'json'): string {
  return `/api/conversations/${encodeURIComponent(conversation)}/export?format=${format}`
}
