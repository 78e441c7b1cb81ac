/** Puts the parts together, once. */

import '../styles/main.css'
import { render } from 'preact'
import { browserEnvironment, StreamClient } from '../stream'
import { httpApi } from './api'
import { App } from './app'
import { Chat } from './chat'
import { Drafts } from './drafts'
import { Lasting, localStorageOrNull } from './lasting'
import { Library } from './library'
import { ModelChoice } from './models'
import { addressOf, conversationOf, type Page } from './page'
import { ScrollKeeper } from './scroll'
import { INITIAL, logOf, type Shown, type State, shown } from './state'
import { Store } from './store'

declare global {
  interface Window {
    /** For the browser tests and the curious: the words of the last answer, as the page has them before it draws them. */
    rejoinder: { lastAnswer(): Shown | null }
  }
}

const environment = browserEnvironment()
const store = new Store<State>(INITIAL, (run) => requestAnimationFrame(run))
const client = new StreamClient(environment, '/api/socket')
const api = httpApi()
const library = new Library(store, api, client, environment)
const models = new ModelChoice(store, api, new Lasting(localStorageOrNull()))
const drafts = new Drafts(environment.storage, newKey)
const go = (conversation: string | null, how: 'push' | 'replace') =>
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', addressOf(conversation))
const chat = new Chat({ store, api, client, drafts, library, environment, newKey, go })
const scroll = new ScrollKeeper((away) => store.set({ away }))

const page: Page = {
  store,
  chat,
  library,
  models,
  scroll,
  visit(conversation) {
    if (conversation !== store.state.at) go(conversation, 'push')
    void chat.open(conversation)
  },
}

client.onLink((link) => {
  store.set({ link })
  if (link !== 'live') return
  chat.reconnected()
  library.reconnected()
  void models.refresh()
})
window.addEventListener('popstate', () => void chat.open(conversationOf(location.pathname)))
window.rejoinder = {
  lastAnswer() {
    const last = store.state.conversation?.messages.at(-1)
    return last?.role === 'assistant' ? shown(last, logOf(store.state, last)) : null
  },
}

void chat.open(conversationOf(location.pathname))
void library.refresh()
render(<App page={page} />, document.body)

/** randomUUID exists only on https and localhost; this page is also opened by an address in a home network. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
