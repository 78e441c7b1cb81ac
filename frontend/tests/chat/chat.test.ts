import { beforeEach, describe, expect, test } from 'vitest'
import { ApiError, type Conversation, type Listing, type Message } from '../../src/chat/api'
import { Chat } from '../../src/chat/chat'
import { Discussion } from '../../src/chat/discussion'
import { Drafts } from '../../src/chat/drafts'
import { Library } from '../../src/chat/library'
import { Sharing } from '../../src/chat/sharing'
import { busyStream, INITIAL, logOf, mayAsk, mayStop, type State, shown, unread } from '../../src/chat/state'
import { Store } from '../../src/chat/store'
import { StreamClient } from '../../src/stream'
import { OriginApi, remark } from '../support/origin-api'
import { Shelf, World } from '../support/world'

const TERMS = { may_ask: false, discussion: true, shows_prompt: false, indexed: false, expires_at: null }
const UNREACHABLE = new ApiError(0, 'The server could not be reached.')

let world: World
let api: OriginApi
let store: Store<State>
let chat: Chat
let library: Library
let discussion: Discussion
let visited: (string | null)[]
let frames: (() => void)[]
let keys: number

beforeEach(() => {
  world = new World(new Shelf())
  api = new OriginApi()
  keys = 0
  openPage()
})

/** Also what a refresh does: everything is new but the tab's storage and the server. */
function openPage(): void {
  frames = []
  visited = []
  const newKey = () => `key${++keys}`
  store = new Store(INITIAL, (run) => frames.push(run))
  const client = new StreamClient(world, '/api/socket')
  world.pass(0)
  world.socket.say({ type: 'hello', heartbeat: 20 })
  library = new Library(store, api, world)
  client.watchList(() => library.changed())
  const drafts = new Drafts(world.storage, newKey)
  const go = (to: string | null) => visited.push(to)
  discussion = new Discussion(store, api, drafts)
  chat = new Chat({ store, api, client, drafts, library, beside: discussion, environment: world, newKey, go })
}

/** Let promises that are due come true. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await Promise.resolve()
}

function stream(stream: string, text: string): void {
  world.socket.say({ type: 'following', stream, epoch: 'e', index: 0, state: 'running' })
  world.socket.say({ type: 'chunks', stream, epoch: 'e', start: 0, stop: 1, text })
}

function end(stream: string): void {
  world.socket.say({ type: 'end', stream, epoch: 'e', start: 1, stop: 2, outcome: 'finished' })
}

function lastShown(): string | undefined {
  const last = store.state.conversation?.messages.at(-1)
  return last && shown(last, logOf(store.state, last)).text
}

function sends(): string[] {
  return api.requests.filter((request) => request.startsWith('send'))
}

describe('sending', () => {
  test('the first words begin a conversation, get an address, and the answer is followed', async () => {
    await chat.open(null)
    chat.type('Hello')
    await chat.send()
    const [conversation] = api.conversations.values()
    expect(visited).toEqual([conversation?.id])
    expect(store.state.draft).toBe('')
    expect(store.state.list.map((item) => item.title)).toEqual(['Hello'])
    stream(conversation?.generating as string, 'Hi')
    expect(lastShown()).toBe('Hi')
  })

  test('words stay until the server has them, and go under the same key again', async () => {
    const { id } = api.put('A')
    await chat.open(id)
    chat.type('Hello')
    api.faults.push({ when: 'after', error: UNREACHABLE }) // it has them, but the reply was lost
    await chat.send()
    expect(store.state).toMatchObject({ draft: 'Hello', sending: false, sendProblem: UNREACHABLE.message })
    await chat.send()
    expect(sends()).toEqual([`send ${id} Hello key1`, `send ${id} Hello key1`])
    expect(api.conversations.get(id)?.messages).toHaveLength(2)
    expect(store.state).toMatchObject({ draft: '', sendProblem: null })
    expect(store.state.conversation?.messages).toHaveLength(2)
  })

  test('who is told to wait keeps the words, reads why, and sends them later as they are', async () => {
    const { id } = api.put('A')
    await chat.open(id)
    chat.type('Hello')
    const wait = 'There were too many questions in a short time. Try again in 12 seconds.'
    api.faults.push({ when: 'before', error: new ApiError(429, wait) })
    await chat.send()
    expect(store.state).toMatchObject({ draft: 'Hello', sending: false, sendProblem: wait })
    await chat.send()
    expect(store.state).toMatchObject({ draft: '', sendProblem: null })
    expect(api.conversations.get(id)?.messages).toHaveLength(2)
  })

  test('a refresh after a send that failed keeps words and key', async () => {
    const { id } = api.put('A')
    await chat.open(id)
    chat.type('Hello')
    api.faults.push({ when: 'after', error: UNREACHABLE })
    await chat.send()
    openPage()
    await chat.open(id)
    expect(store.state.draft).toBe('Hello')
    await chat.send()
    expect(api.conversations.get(id)?.messages).toHaveLength(2)
  })

  test('who leaves while the first words are under way finds each conversation as it should be', async () => {
    const other = api.put('B', 'complete', 'finished')
    other.version = 9
    await chat.open(null)
    chat.type('Hello')
    const sent = chat.send()
    await chat.open(other.id)
    await sent
    await settle()
    const begun = [...api.conversations.values()].at(-1)
    expect(begun?.messages.map((message) => message.content)).toEqual(['Hello', ''])
    expect(visited, 'the address stays where the person went').toEqual([])
    expect(store.state).toMatchObject({ at: other.id, draft: '', sending: false, sendProblem: null })
    expect(store.state.conversation?.id).toBe(other.id)
    await chat.open(begun?.id as string)
    expect(store.state.conversation?.messages).toHaveLength(2)
    await chat.open(null)
    expect(store.state.draft).toBe('')
  })

  test('a send that fails elsewhere is told as such, and its words are where they were typed', async () => {
    const { id } = api.put('A')
    const other = api.put('B')
    await chat.open(id)
    chat.type('Hello')
    api.faults.push({ when: 'before', error: UNREACHABLE })
    const sent = chat.send()
    await chat.open(other.id)
    await sent
    expect(store.state).toMatchObject({ at: other.id, draft: '', sending: false, sendProblem: null })
    expect(store.state.notice).toContain('A message was not sent.')
    await chat.open(id)
    expect(store.state.draft).toBe('Hello')
  })

  test('what was seen of a send while the server tried is seen no more once it gives up', async () => {
    const kept = api.put('A')
    await chat.open(kept.id)
    kept.generating = 'st_tried'
    await library.refresh()
    expect(store.state.list[0]?.generating).toBe('st_tried')
    kept.generating = null
    chat.type('Hello')
    api.faults.push({ when: 'before', error: new ApiError(503, 'Not now.') })
    await chat.send()
    world.pass(1_000)
    await settle()
    expect(store.state.list[0]?.generating).toBeNull()
    expect(store.state).toMatchObject({ draft: 'Hello', sendProblem: 'Not now.' })
  })

  test('one conversation can be asked while a send in another is under way', async () => {
    const { id } = api.put('A')
    const other = api.put('B')
    await chat.open(id)
    chat.type('Hello')
    const first = chat.send()
    expect(store.state.sending).toBe(true)
    await chat.open(other.id)
    expect(store.state.sending).toBe(false)
    chat.type('Hi')
    await Promise.all([first, chat.send()])
    expect(sends()).toHaveLength(2)
  })

  test('other words are another wish', async () => {
    const { id } = api.put('A')
    await chat.open(id)
    chat.type('Hello')
    api.faults.push({ when: 'before', error: UNREACHABLE })
    await chat.send()
    chat.type('Hello!')
    await chat.send()
    expect(sends()).toEqual([`send ${id} Hello key1`, `send ${id} Hello! key2`])
  })

  test('nothing is sent while an answer is written, nor from blanks, nor twice at once', async () => {
    const { id } = api.put('A', 'complete', 'running')
    await chat.open(id)
    chat.type('Hello')
    await chat.send()
    await chat.open(api.put('B').id)
    chat.type('  \n')
    await chat.send()
    chat.type('Hello')
    await Promise.all([chat.send(), chat.send()])
    expect(sends()).toHaveLength(1)
  })

  test('each conversation keeps its own draft', async () => {
    const [a, b] = [api.put('A'), api.put('B')]
    await chat.open(a.id)
    chat.type('for A')
    await chat.open(b.id)
    expect(store.state.draft).toBe('')
    await chat.open(a.id)
    expect(store.state.draft).toBe('for A')
  })

  test('an answer that another tab has begun is shown instead of a second one', async () => {
    const kept = api.put('A')
    await chat.open(kept.id)
    chat.type('Hello')
    await api.send(kept.id, 'From elsewhere', 'their key', null)
    await chat.send()
    await settle()
    expect(store.state.sendProblem).toContain('being written')
    expect(store.state.draft).toBe('Hello')
    expect(busyStream(store.state)).toBe(kept.generating)
  })
})

describe('an answer', () => {
  test('is drawn once per frame, however many deltas come', async () => {
    const kept = api.put('A', 'complete', 'running')
    await chat.open(kept.id)
    for (const run of frames.splice(0)) run()
    let told = 0
    store.subscribe(() => {
      told += 1
    })
    const id = kept.generating as string
    stream(id, 'a')
    for (let at = 1; at < 50; at += 1) {
      world.socket.say({ type: 'chunks', stream: id, epoch: 'e', start: at, stop: at + 1, text: 'a' })
    }
    expect([frames.length, told]).toEqual([1, 0])
    frames[0]?.()
    expect(told).toBe(1)
    expect(lastShown()).toBe('a'.repeat(50))
  })

  test('gives way to the saved message, and the tab forgets the stream', async () => {
    const kept = api.put('A', 'complete', 'running')
    await chat.open(kept.id)
    const id = kept.generating as string
    stream(id, 'Once')
    world.happen('pagehide')
    expect(world.storage?.length).toBe(1)
    end(id)
    expect(busyStream(store.state)).toBeNull()
    api.settle(kept.id, 'Once')
    world.socket.say({ type: 'news', conversation: kept.id, version: 2 })
    await settle()
    expect(store.state.live).toBeNull()
    expect(lastShown()).toBe('Once')
    world.pass(1_000)
    expect(world.storage?.length).toBe(0)
  })

  test('that cannot be followed any more is read from the server', async () => {
    const kept = api.put('A', 'complete', 'running')
    await chat.open(kept.id)
    api.settle(kept.id, 'What was saved', 'interrupted')
    const problem = { status: 410, title: 'Expired', detail: null }
    world.socket.say({ type: 'gone', stream: `st_${kept.messages[1]?.id}`, problem })
    await settle()
    expect(lastShown()).toBe('What was saved')
  })

  test('that is stopped says so until it ends, and can be stopped again after a failure', async () => {
    const kept = api.put('A', 'complete', 'running')
    await chat.open(kept.id)
    await chat.stop()
    expect(store.state.stopping).toBe(kept.generating)
    api.faults.push({ when: 'before', error: UNREACHABLE })
    await chat.stop()
    expect(store.state).toMatchObject({ stopping: null, notice: UNREACHABLE.message })
  })

  test('that is asked for again replaces the one before on the path, under one key until it is heard', async () => {
    const kept = api.put('A', 'complete', 'finished')
    await chat.open(kept.id)
    const [, answer] = store.state.conversation?.messages ?? []
    if (!answer) throw new Error('there is an answer')
    api.faults.push({ when: 'after', error: UNREACHABLE })
    await chat.regenerate(answer)
    await chat.regenerate(answer)
    expect(api.requests.filter((it) => it.startsWith('regenerate'))).toEqual(
      Array(2).fill(`regenerate ${answer.id} key1`),
    )
    expect(store.state.conversation?.messages.map((it) => it.status)).toEqual(['complete', 'queued'])
  })
})

describe('news', () => {
  test('from another tab are read', async () => {
    const kept = api.put('A')
    await chat.open(kept.id)
    await api.send(kept.id, 'From elsewhere', 'their key', null)
    world.socket.say({ type: 'news', conversation: kept.id, version: kept.version })
    await settle()
    expect(store.state.conversation?.messages).toHaveLength(2)
    stream(kept.generating as string, 'Hi')
    expect(lastShown()).toBe('Hi')
  })

  test('that cannot be read at once are read later', async () => {
    const kept = api.put('A')
    await chat.open(kept.id)
    await api.change(kept.id, { title: 'B' })
    api.faults.push({ when: 'before', error: UNREACHABLE }, { when: 'before', error: UNREACHABLE })
    world.socket.say({ type: 'news', conversation: kept.id, version: kept.version })
    await settle()
    world.pass(1_000)
    await settle()
    world.pass(1_000)
    await settle()
    expect(store.state.conversation?.title).toBe('B')
  })

  test('of a conversation that was left are not shown in the next', async () => {
    const [a, b] = [api.put('A'), api.put('B')]
    const opening = chat.open(a.id)
    await chat.open(b.id)
    await opening
    expect(store.state.conversation?.title).toBe('B')
  })
})

describe('what was cut off', () => {
  test('is gone on with in a version that begins with it, and its words never leave the screen', async () => {
    const kept = api.put('A', 'complete', 'interrupted')
    kept.messages = kept.messages.map((it) => ({ ...it, content: it.role === 'user' ? 'Why?' : 'Once upon' }))
    await chat.open(kept.id)
    await chat.continue(store.state.conversation?.messages[1] as Message)
    const stream = kept.generating as string
    expect(lastShown()).toBe('Once upon')
    world.socket.say({ type: 'following', stream, epoch: null, index: 0, state: 'queued' })
    expect(lastShown()).toBe('Once upon')
    world.socket.say({ type: 'following', stream, epoch: 'e', index: 0, state: 'running' })
    expect(lastShown()).toBe('Once upon')
    world.socket.say({ type: 'chunks', stream, epoch: 'e', start: 0, stop: 2, text: 'Once upon a time' })
    expect(lastShown()).toBe('Once upon a time')
  })
})

describe('the discussion', () => {
  const said = (change: number, words: string) => ({ ...remark(change, words, 'Bob'), id: `r${words}` })

  beforeEach(async () => {
    await chat.open(api.put('A').id)
  })

  test('grows by what is new, loses what was removed, and counts what was not seen', () => {
    discussion.discussed([said(1, 'One'), said(2, 'Two')])
    discussion.discussed([said(2, 'Two'), said(3, 'Three')]) // some of it comes twice
    expect(store.state.remarks.map((it) => it.content)).toEqual(['One', 'Two', 'Three'])
    expect(unread(store.state)).toBe(3)
    discussion.discussed([{ ...said(4, 'Two'), content: '', removed: true }])
    expect(store.state.remarks.map((it) => it.content)).toEqual(['One', 'Three'])
    expect([discussion.changes(), unread(store.state)]).toEqual([4, 2])
    discussion.toggle()
    expect(unread(store.state)).toBe(0)
    discussion.toggle()
    discussion.discussed([said(5, 'Five')])
    expect(unread(store.state)).toBe(1)
  })

  test('that was there before is not new', async () => {
    const kept = api.put('B')
    kept.remarks = 2
    await chat.open(kept.id)
    discussion.discussed([said(1, 'One'), said(2, 'Two')])
    expect(unread(store.state)).toBe(0)
    discussion.discussed([said(3, 'Three')])
    expect(unread(store.state)).toBe(1)
  })

  test('of another conversation is another', async () => {
    discussion.discussed([said(5, 'Here')])
    discussion.viewed(3)
    await chat.open(api.put('B').id)
    expect(store.state).toMatchObject({ remarks: [], changes: 0, viewers: 0, saying: '' })
  })

  test('words that could not be said stay, also over a refresh, until they are', async () => {
    const { at } = store.state
    store.set({ name: 'Ada' })
    discussion.type('Hello')
    api.faults.push({ when: 'before', error: UNREACHABLE })
    await discussion.say()
    expect(store.state).toMatchObject({ notice: 'The server could not be reached.', saying: 'Hello' })
    openPage()
    store.set({ name: 'Ada' })
    await chat.open(at)
    expect(store.state.saying).toBe('Hello')
    await discussion.say()
    expect(store.state.saying).toBe('')
    expect(api.requests.at(-1)).toBe(`remark ${at} Hello Ada`)
    discussion.type('  ')
    await discussion.say()
    expect(api.requests.filter((request) => request.startsWith('remark'))).toHaveLength(2)
  })

  test('words whose answer was lost are taken as said when they come back', async () => {
    discussion.type('Hello')
    api.faults.push({ when: 'after', error: UNREACHABLE })
    await discussion.say()
    expect(store.state.saying).toBe('Hello')
    discussion.discussed([{ ...said(1, 'Hello'), author: { name: '', tag: 'me', owner: true } }])
    expect(store.state.saying).toBe('')
  })
})

describe('a page that was opened by a share', () => {
  beforeEach(async () => {
    store.set({ guest: true })
    const { id } = api.put('A', 'complete', 'running')
    await chat.open(id)
  })

  test('that is over shows no more of it and keeps none', () => {
    stream(store.state.live?.stream as string, 'Secret')
    world.pass(10_000)
    chat.shutOut('missing') // what was seen was shared
    expect(store.state).toMatchObject({ reading: 'over', conversation: null, live: null })
    for (let at = 0; at < (world.storage?.length ?? 0); at += 1) {
      expect(world.storage?.getItem(world.storage.key(at) as string)).not.toContain('Secret')
    }
  })

  test('was shared once to whoever has seen it, and never to whoever has not', async () => {
    const id = store.state.at as string
    api.conversations.delete(id)
    world.socket.say({ type: 'news', conversation: id, version: 9 })
    await settle()
    expect(store.state.reading).toBe('over')
    chat.shutOut('over')
    await chat.readAgain()
    expect(store.state.reading).toBe('over')
    await chat.open('nowhere')
    chat.shutOut('missing')
    expect(store.state.reading).toBe('missing')
  })

  test('does not ask in the same instant as the crowd', async () => {
    const id = store.state.at as string
    const reads = () => api.requests.filter((request) => request === `read ${id}`).length
    const before = reads()
    discussion.viewed(1000)
    world.socket.say({ type: 'news', conversation: id, version: 9 })
    await settle()
    expect(reads()).toBe(before)
    world.pass(2_000)
    await settle()
    expect(reads()).toBe(before + 1)
    discussion.viewed(3)
    world.socket.say({ type: 'news', conversation: id, version: 10 })
    expect(reads()).toBe(before + 2)
  })

  test('asks, stops and talks only as far as it may', () => {
    const set = (change: object) =>
      store.set({ conversation: { ...(store.state.conversation as Conversation), ...change } })
    expect([mayAsk(store.state), mayStop(store.state), discussion.changes()]).toEqual([false, false, null])
    set({ may_ask: true, discussion: true })
    expect([mayAsk(store.state), mayStop(store.state), discussion.changes()]).toEqual([true, false, 0])
    const [question, ...rest] = store.state.conversation?.messages ?? []
    set({ messages: [{ ...question, author: { name: '', tag: 'me', owner: false } }, ...rest] })
    expect(mayStop(store.state)).toBe(true)
  })
})

describe('a wish whose answer was lost', () => {
  test('is the same wish until it is seen to be fulfilled, and then another', async () => {
    const kept = api.put('A', 'complete', 'finished')
    await chat.open(kept.id)
    const [, answer] = store.state.conversation?.messages ?? []
    api.faults.push({ when: 'after', error: UNREACHABLE })
    await chat.regenerate(answer as Message)
    const versions = [answer?.id as string, kept.messages[1]?.id as string]
    kept.messages = kept.messages.map((it) => (it.role === 'assistant' ? { ...it, versions } : it))
    api.settle(kept.id, 'Done')
    await chat.readAgain()
    await chat.regenerate({ ...(answer as Message), versions })
    expect(api.requests.filter((request) => request.startsWith('regenerate'))).toEqual([
      `regenerate ${answer?.id} key1`,
      `regenerate ${answer?.id} key2`,
    ])
  })

  test('and that stands in the conversation is not waiting in the composer', async () => {
    const { id } = api.put('A')
    await chat.open(id)
    chat.type('Hello')
    api.faults.push({ when: 'after', error: UNREACHABLE })
    await chat.send()
    expect(store.state).toMatchObject({ draft: 'Hello', sendProblem: UNREACHABLE.message })
    await chat.readAgain()
    expect(store.state).toMatchObject({ draft: '', sendProblem: null })
  })

  test('a conversation that is wanted twice while it begins begins once', async () => {
    await chat.open(null)
    chat.type('Hello')
    await Promise.all([chat.send(), new Sharing(store, api, chat).share(TERMS)])
    expect(api.conversations.size).toBe(1)
  })
})

describe('sharing', () => {
  test('a conversation that has not begun begins with its first link, and takes the draft along', async () => {
    await chat.open(null)
    chat.type('Half a thought')
    await new Sharing(store, api, chat).share(TERMS)
    const [kept] = api.conversations.values()
    expect(visited).toEqual([kept?.id])
    expect(store.state.conversation?.shares).toHaveLength(1)
    expect(store.state.draft).toBe('Half a thought')
  })

  test('a link that could not be made is told', async () => {
    await chat.open(api.put('A').id)
    api.faults.push({ when: 'before', error: UNREACHABLE })
    await new Sharing(store, api, chat).share(TERMS)
    expect(store.state.notice).toBe('The server could not be reached.')
  })
})

describe('the list', () => {
  test('a conversation that is deleted leaves an empty page', async () => {
    const { id } = api.put('A')
    await library.refresh()
    await chat.open(id)
    await chat.remove(id)
    expect(store.state).toMatchObject({ at: null, conversation: null, list: [] })
    expect(visited).toEqual([null])
  })

  test('a deletion can be taken back for a moment', async () => {
    const { id } = api.put('A')
    await library.refresh()
    await chat.open(id)
    await chat.remove(id)
    expect(store.state.undo).toEqual({ id, title: 'A' })
    await library.undo()
    expect(store.state).toMatchObject({ undo: null, list: [{ id, title: 'A' }] })
    await chat.remove(id)
    world.pass(10_000)
    expect(store.state.undo).toBeNull()
    await library.undo()
    expect(api.conversations.has(id)).toBe(false)
  })

  test('a deletion that could not be taken back is offered again, unless it is too late', async () => {
    const { id } = api.put('A')
    await library.refresh()
    await chat.remove(id)
    api.faults.push({ when: 'before', error: UNREACHABLE })
    expect(await library.undo()).toBe(false)
    expect(store.state).toMatchObject({ undo: { id, title: 'A' }, notice: UNREACHABLE.message })
    api.faults.push({ when: 'before', error: new ApiError(404, 'Gone.') })
    expect(await library.undo()).toBe(false)
    expect(store.state).toMatchObject({ undo: null, notice: 'Gone.' })
  })

  test('of two readings the one that was begun last counts', async () => {
    api.put('A')
    const answers: ((listing: Listing) => void)[] = []
    api.list = () => new Promise((resolve) => answers.push(resolve))
    const readings = [library.refresh(), library.refresh()]
    answers[1]?.({ items: [], next: null })
    answers[0]?.({ items: [{ id: 'old', title: 'Old', version: 1, generating: null, updated_at: '' }], next: null })
    await Promise.all(readings)
    expect(store.state.list).toEqual([])
  })

  test('a conversation that is found to be gone leaves it', async () => {
    const { id } = api.put('A')
    await library.refresh()
    api.conversations.delete(id)
    await chat.open(id)
    expect(store.state).toMatchObject({ reading: 'missing', list: [] })
  })

  test('a new title stands in the list and in the page', async () => {
    const { id } = api.put('A')
    await library.refresh()
    await chat.open(id)
    await library.rename(id, ' B ')
    expect(store.state.list.map((item) => item.title)).toEqual(['B'])
    world.socket.say({ type: 'news', conversation: id, version: 2 })
    await settle()
    expect(store.state.conversation?.title).toBe('B')
  })

  test('an answer that ends in another conversation is seen in the list', async () => {
    const { id } = api.put('A', 'complete', 'running')
    await library.refresh()
    expect(store.state.list[0]?.generating).not.toBeNull()
    api.settle(id, 'Done')
    world.socket.say({ type: 'list' })
    world.pass(250)
    await settle()
    expect(store.state.list[0]?.generating).toBeNull()
  })

  test('what changes in another tab is read once, however much it is', async () => {
    await library.refresh()
    for (const title of ['A', 'B', 'C']) {
      api.put(title)
      world.socket.say({ type: 'list' })
    }
    world.pass(250)
    await settle()
    expect(store.state.list.map((item) => item.title)).toEqual(['C', 'B', 'A'])
    expect(api.requests.filter((request) => request === 'list')).toHaveLength(2)
    world.socket.say({ type: 'list' })
    world.pass(250)
    await settle()
    expect(api.requests.filter((request) => request === 'list')).toHaveLength(3)
  })

  test('is asked for again after every connection', async () => {
    expect(world.socket.sent).toContainEqual({ type: 'watch_list' })
    world.socket.cut()
    world.pass(1_000)
    world.socket.say({ type: 'hello', heartbeat: 20 })
    expect(world.socket.sent).toContainEqual({ type: 'watch_list' })
  })

  test('one that is not there says so', async () => {
    await chat.open('nowhere')
    expect(store.state.reading).toBe('missing')
  })
})

test('what could not be read is read as soon as the server can be reached again', async () => {
  const { id } = api.put('A')
  api.faults.push({ when: 'before', error: UNREACHABLE }, { when: 'before', error: UNREACHABLE })
  await chat.open(id)
  await library.refresh()
  expect(store.state).toMatchObject({ reading: 'failed', listed: 'failed', notice: null })
  chat.reconnected()
  world.socket.say({ type: 'list' })
  world.pass(250)
  await settle()
  expect(store.state).toMatchObject({ reading: 'ready', listed: 'ready' })
})

test('that the server could not be reached is told no longer than it is so', async () => {
  const { id } = api.put('A', 'complete', 'running')
  await chat.open(id)
  api.faults.push({ when: 'before', error: UNREACHABLE })
  await chat.stop()
  expect(store.state.notice).toBe('The server could not be reached.')
  chat.reconnected()
  expect(store.state.notice).toBeNull()

  store.set({ notice: 'There is no such version.' })
  chat.reconnected()
  expect(store.state.notice).toBe('There is no such version.')
})

test('a question that cannot be sent again now says why', async () => {
  const { id } = api.put('A', 'complete', 'running')
  await chat.open(id)
  const question = store.state.conversation?.messages[0]
  if (question) await chat.edit(question, 'Other words')
  expect(store.state.notice).toContain('An answer is being written.')
})

test('when a text begins anew, the words of the one before stay in sight until others come', async () => {
  const { id, generating } = api.put('A', 'complete', 'running')
  await chat.open(id)
  stream(generating as string, 'Once upon a time')
  world.socket.say({ type: 'following', stream: generating, epoch: 'f', index: 0, state: 'ended' })
  expect(lastShown()).toBe('Once upon a time')
  world.socket.say({ type: 'chunks', stream: generating, epoch: 'f', start: 0, stop: 1, text: 'Once upon' })
  expect(lastShown()).toBe('Once upon')
})

describe('searching', () => {
  const titles = () => store.state.list.map((item) => item.title)

  test('waits until nothing more is typed, and finds', async () => {
    api.put('Cats')
    api.put('Dogs')
    await library.refresh()
    const before = api.requests.length
    for (const words of ['C', 'Ca', 'Cat']) library.search(words)
    world.pass(199)
    expect(api.requests).toHaveLength(before)
    world.pass(1)
    await settle()
    expect(titles()).toEqual(['Cats'])
    expect(api.requests).toHaveLength(before + 1)
    library.search('')
    world.pass(0)
    await settle()
    expect(titles()).toEqual(['Dogs', 'Cats'])
  })

  test('an answer to words that were changed meanwhile is not shown', async () => {
    api.put('Cats')
    api.put('Dogs')
    library.search('Cat')
    world.pass(200)
    library.search('Dog') // the first is on its way
    await settle()
    expect(titles()).toEqual([])
    world.pass(200)
    await settle()
    expect(titles()).toEqual(['Dogs'])
  })
})
