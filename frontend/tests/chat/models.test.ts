import { beforeEach, describe, expect, test } from 'vitest'
import { ApiError } from '../../src/chat/api'
import { Chat } from '../../src/chat/chat'
import { Discussion } from '../../src/chat/discussion'
import { Drafts } from '../../src/chat/drafts'
import { Lasting } from '../../src/chat/lasting'
import { Library } from '../../src/chat/library'
import { chosenModel, isChoice, isChoiceAwaited, ModelChoice } from '../../src/chat/models'
import { INITIAL, type State } from '../../src/chat/state'
import { Store } from '../../src/chat/store'
import { StreamClient } from '../../src/stream'
import { OriginApi } from '../support/origin-api'
import { Shelf, World } from '../support/world'

const SEVERAL = { default: 'small', models: ['small', 'medium', 'large'] }

let api: OriginApi
let store: Store<State>
let chat: Chat
let models: ModelChoice

beforeEach(() => {
  api = new OriginApi()
  api.offered = SEVERAL
  openPage(new Lasting(new Shelf()))
})

function openPage(lasting: Lasting): void {
  const world = new World()
  store = new Store<State>(INITIAL, (run) => run())
  const client = new StreamClient(world, '/api/socket')
  const library = new Library(store, api, world)
  const drafts = new Drafts(null, () => 'unused')
  let keys = 0
  const newKey = () => `key${++keys}`
  const beside = new Discussion(store, api, drafts)
  chat = new Chat({ store, api, client, drafts, library, beside, environment: world, newKey, go() {} })
  models = new ModelChoice(store, api, lasting)
}

async function ask(words: string): Promise<string> {
  chat.type(words)
  await chat.send()
  const { id } = [...api.conversations.values()].at(-1) as { id: string }
  api.settle(id, 'Done')
  await chat.open(id)
  return id
}

const lastModel = () => store.state.conversation?.messages.at(-1)?.model

describe('the model that answers', () => {
  test("is the server's own choice, unsaid, where there is only one", async () => {
    api.offered = { default: 'small', models: ['small'] }
    await models.refresh()
    expect(isChoice(store.state)).toBe(false)
    await chat.open(null)
    await ask('Hello')
    expect(lastModel()).toBeNull()
  })

  test('is the default until another is chosen, and then that one, for new conversations too', async () => {
    await models.refresh()
    await chat.open(null)
    expect(chosenModel(store.state)).toBe('small')
    models.pick('large')
    await ask('Hello')
    expect(lastModel()).toBe('large')
    await chat.open(null)
    expect(chosenModel(store.state)).toBe('large')
  })

  test('is in each conversation the one that answered last', async () => {
    await models.refresh()
    await chat.open(null)
    models.pick('large')
    const first = await ask('Hello')
    await chat.open(null)
    models.pick('medium')
    const second = await ask('Hello again')
    await chat.open(first)
    expect(chosenModel(store.state)).toBe('large')
    await chat.open(second)
    expect(chosenModel(store.state)).toBe('medium')
  })

  test('can be another for another version', async () => {
    await models.refresh()
    await chat.open(null)
    const id = await ask('Hello')
    models.pick('large')
    const answer = store.state.conversation?.messages.at(-1)
    if (answer) await chat.regenerate(answer)
    expect(api.conversations.get(id)?.messages.at(-1)?.model).toBe('large')
  })

  test('is the default again where the one before is no longer there', async () => {
    await models.refresh()
    await chat.open(null)
    models.pick('large')
    await ask('Hello')
    api.offered = { default: 'small', models: ['small', 'medium'] }
    await models.refresh()
    expect(chosenModel(store.state)).toBe('small')
  })

  test('that was chosen last is remembered by the browser, if it remembers anything', async () => {
    const shelf = new Shelf()
    openPage(new Lasting(shelf))
    models.pick('large')
    openPage(new Lasting(shelf))
    await models.refresh()
    expect(chosenModel(store.state)).toBe('large')

    for (const forgetful of [new Lasting(null), new Lasting(new Shelf(0))]) {
      openPage(forgetful)
      await models.refresh()
      models.pick('medium')
      expect(chosenModel(store.state)).toBe('medium')
    }
  })
})

test('a list that cannot be read leaves what was known', async () => {
  await models.refresh()
  api.faults.push({ when: 'before', error: new ApiError(0, 'The server could not be reached.') })
  await models.refresh()
  expect(store.state).toMatchObject({ models: SEVERAL, notice: null })
})

test('the place of a choice is kept where there was one before, and for nobody else', async () => {
  const lasting = new Lasting(new Shelf())
  openPage(lasting)
  expect(isChoiceAwaited(store.state)).toBe(false)
  await models.refresh()

  openPage(lasting)
  expect(isChoiceAwaited(store.state)).toBe(true)
  expect(isChoiceAwaited({ ...store.state, guest: true })).toBe(false)
  api.offered = { default: 'small', models: ['small'] }
  await models.refresh()
  expect(isChoiceAwaited(store.state)).toBe(false)

  openPage(lasting)
  expect(isChoiceAwaited(store.state)).toBe(false)
})
