/** Puts the parts of the operations page together, once. */

import '../styles/operations.css'
import { render } from 'preact'
import { Store } from '../chat/store'
import { browserEnvironment } from '../stream'
import { httpApi } from './api'
import { App } from './app'
import { Desk } from './desk'
import { INITIAL, type State } from './state'

const store = new Store<State>(INITIAL, (run) => requestAnimationFrame(run))
render(<App desk={new Desk(browserEnvironment(), httpApi(), store)} />, document.body)
