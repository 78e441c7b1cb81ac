// @vitest-environment happy-dom
import { beforeEach, describe, expect, test } from 'vitest'
import { ApiError } from '../../src/chat/api'
import { Lasting } from '../../src/chat/lasting'
import { IDENTITY, Membership, signInAddress, signInFirst } from '../../src/chat/membership'
import { INITIAL, mustSignIn, type State } from '../../src/chat/state'
import { Store } from '../../src/chat/store'
import { OriginApi } from '../support/origin-api'
import { Shelf } from '../support/world'

const OFFER = { name: 'Example', at: '/account/sign-in', required: false }
const ADA = { name: 'Ada', email: 'ada@id.test' }

let api: OriginApi
let shelf: Shelf
let store: Store<State>
let membership: Membership

beforeEach(() => {
  api = new OriginApi()
  shelf = new Shelf()
  store = new Store<State>(INITIAL, (run) => run())
  membership = new Membership(store, api, new Lasting(shelf))
})

describe('signing in', () => {
  test('is offered nowhere where there are no accounts', async () => {
    await membership.refresh()
    expect(signInAddress(store.state, '/')).toBeNull()
    expect(mustSignIn(store.state)).toBe(false)
  })

  test('leads back to where one was', async () => {
    api.person = { me: 'browser', account: null, sign_in: OFFER }
    await membership.refresh()
    expect(signInAddress(store.state, '/c/a?b&c')).toBe('/account/sign-in?next=%2Fc%2Fa%3Fb%26c')
  })

  test('is not offered to whoever has', async () => {
    api.person = { me: 'ada', account: ADA, sign_in: OFFER }
    await membership.refresh()
    expect(signInAddress(store.state, '/')).toBeNull()
  })

  test.each([
    [false, null, false],
    [true, null, true],
    [true, ADA, false],
  ])('where it is required (%s), who has the account %o must first: %s', async (required, account, expected) => {
    api.person = { me: 'me', account, sign_in: { ...OFFER, required } }
    await membership.refresh()
    expect(mustSignIn(store.state)).toBe(expected)
  })
})

describe('the document', () => {
  const parsed = (head: string) => new DOMParser().parseFromString(`<head>${head}</head>`, 'text/html')

  test('says to whoever must sign in first where that is', () => {
    const offer = { ...OFFER, name: 'A & B', required: true }
    const content = JSON.stringify(offer).replaceAll('&', '&amp;').replaceAll('"', '&quot;')
    expect(signInFirst(parsed(`<meta name="sign-in-first" content="${content}">`))).toEqual(offer)
  })

  test('says nothing to anybody else', () => {
    expect(signInFirst(parsed('<meta name="robots" content="noindex">'))).toBeNull()
  })
})

describe('the name of the account', () => {
  test('is offered to whoever has chosen none, and is not kept as if they had', async () => {
    api.person = { me: 'ada', account: ADA, sign_in: OFFER }
    await membership.refresh()
    expect(store.state.name).toBe('Ada')
    expect(new Lasting(shelf).get('name')).toBe('')
  })

  test('does not replace a chosen one', async () => {
    store.set({ name: 'Countess' })
    api.person = { me: 'ada', account: ADA, sign_in: OFFER }
    await membership.refresh()
    expect(store.state.name).toBe('Countess')
  })
})

describe('who one is', () => {
  test('is not written down where nobody can sign in', async () => {
    await membership.refresh()
    expect(shelf.writes).toBe(0)
  })

  test('is written down only when it changes, for other tabs hear of every writing', async () => {
    api.person = { me: 'browser', account: null, sign_in: OFFER }
    await membership.refresh()
    expect(new Lasting(shelf).get(IDENTITY)).toBe('browser')
    const before = shelf.writes
    await membership.refresh()
    expect(shelf.writes).toBe(before)
    api.person = { ...api.person, me: 'ada' }
    await membership.refresh()
    expect(new Lasting(shelf).get(IDENTITY)).toBe('ada')
  })

  test('is asked again when the link is back, if it could not be read, and else not', async () => {
    api.faults.push({ when: 'before', error: new ApiError(0, 'The server could not be reached.') })
    await membership.refresh()
    expect(store.state.account.me).toBe('')
    await membership.refreshOnce()
    expect(store.state.account.me).toBe('browser')
    api.person = { ...api.person, me: 'another' }
    await membership.refreshOnce()
    expect(store.state.account.me).toBe('browser')
  })
})

describe('signing out', () => {
  test('leads to where the server says', async () => {
    expect(await membership.signOut()).toBe('/bye')
  })

  test('that fails is told, and leads nowhere', async () => {
    api.faults.push({ when: 'before', error: new ApiError(503, 'Not now.') })
    expect(await membership.signOut()).toBeNull()
    expect(store.state.notice).toBe('Not now.')
  })

  test('is over where another tab has done it', async () => {
    api.faults.push({ when: 'before', error: new ApiError(404, 'Nobody is signed in here.') })
    expect(await membership.signOut()).toBe('/')
  })
})
