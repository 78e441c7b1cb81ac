/** Puts the parts together, once. */

import '../styles/main.css'
import { render } from 'preact'
import { browserEnvironment, StreamClient } from '../stream'
import { httpApi, sharedApi } from './api'
import { App } from './app'
import { Chat } from './chat'
import { Discussion } from './discussion'
import { Drafts } from './drafts'
import { Lasting, localStorageOrNull } from './lasting'
import { Library, NO_LIBRARY } from './library'
import { IDENTITY, Membership, signInFirst } from './membership'
import { ModelChoice } from './models'
import { addressOf, conversationOf, type Page, shareOf } from './page'
import { prove } from './proof'
import { ScrollKeeper } from './scroll'
import { Sharing } from './sharing'
import { INITIAL, logOf, type Shown, type State, shown } from './state'
import { Store } from './store'

declare global {
  interface Window {
    /** For the browser tests and the curious: the words of the last answer, as the page has them before it draws them. */
    rejoinder: { lastAnswer(): Shown | null }
  }
}

const RESUMED_TOLD = 4_000 // ms

const environment = browserEnvironment()
const lasting = new Lasting(localStorageOrNull())
const share = shareOf(location.pathname)
const guest = share !== null
const account = { ...INITIAL.account, sign_in: signInFirst(document) }
const known = { ...INITIAL, guest, name: lasting.get('name'), account }
const store = new Store<State>(known, (run) => requestAnimationFrame(run))
const client = new StreamClient(
  environment,
  share === null ? '/api/socket' : `/api/socket?share=${encodeURIComponent(share)}`,
)
const api = share === null ? httpApi() : sharedApi(share, () => store.state.name)
const library = new Library(store, api, environment)
const membership = new Membership(store, api, lasting)
const models = new ModelChoice(store, api, lasting)
const drafts = new Drafts(environment.storage, newKey)
const discussion = new Discussion(store, api, drafts)
const go = (conversation: string | null, how: 'push' | 'replace') =>
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', addressOf(conversation))
const listed = guest ? NO_LIBRARY : library
const chat = new Chat({ store, api, client, drafts, library: listed, beside: discussion, environment, newKey, go })
const scroll = new ScrollKeeper((away) => store.set({ away }))

const page: Page = {
  store,
  chat,
  library,
  models,
  discussion,
  sharing: new Sharing(store, api, chat),
  scroll,
  besideScroll: new ScrollKeeper(() => {}),
  visit(conversation) {
    if (conversation === store.state.at && store.state.reading === 'ready') {
      store.set({ sidebarOpen: false }) // it is open already, perhaps with something half written in it
      return
    }
    if (conversation !== store.state.at) go(conversation, 'push')
    void chat.open(conversation)
  },
  rename(name) {
    store.set({ name })
    lasting.set('name', name)
  },
  prove: (message) => prove(store.state, api, message),
  address: (conversation) => (share === null ? addressOf(conversation) : location.pathname),
  async signOut() {
    const destination = await membership.signOut()
    if (destination !== null) forget(destination)
  },
  async erase() {
    if (await library.erase()) forget('/')
  },
}

/** Go there with a new cookie, and nothing of what was. */
function forget(destination: string): void {
  client.close() // what it has not written yet must not be written after this
  environment.storage?.clear()
  lasting.clear()
  location.assign(destination)
}

client.onLink((link) => {
  store.set({ link })
  if (link === 'shut') chat.shutOut(client.shutBy === 4404 ? 'missing' : 'over')
  if (link !== 'live') return
  chat.reconnected()
  void membership.refreshOnce()
  if (!guest) void models.refresh() // who came by a share has no choice
})
client.onResume(() => {
  store.set({ resumed: true })
  environment.after(RESUMED_TOLD, () => store.set({ resumed: false }))
})
if (!guest) window.addEventListener('popstate', () => void chat.open(conversationOf(location.pathname)))
// Another tab has signed in or out, and so has this one: its cookie is the same.
lasting.onChange(IDENTITY, () => {
  client.renew()
  void membership.refresh()
  void chat.readAgain()
  if (!guest) void library.refresh()
})
store.subscribe(() => {
  const title = store.state.conversation?.title
  const named = title ? `${title} · Rejoinder` : 'Rejoinder'
  if (document.title !== named) document.title = named // it is told of every frame of an answer
})
window.rejoinder = {
  lastAnswer() {
    const last = store.state.conversation?.messages.at(-1)
    return last?.role === 'assistant' ? shown(last, logOf(store.state, last)) : null
  },
}

void membership.refresh()
void chat.open(share ?? conversationOf(location.pathname))
if (!guest) {
  void library.refresh() // before there is a connection, and without one
  client.watchList(() => library.changed())
}
render(<App page={page} />, document.body)

/** randomUUID exists only on https and localhost; this page is also opened by an address in a home network. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
