/** One stream: when what happened to it, what it is, who watches it. Its words only where that is allowed. */

import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import type { Contents, Operations, StreamOpened } from './api'
import type { Desk } from './desk'
import { count, duration, NOTHING, rate, size, timeOfDay } from './format'
import type { Opened, Reading } from './state'
import { StateOf } from './streams'

interface Props {
  readonly desk: Desk
  readonly opened: Opened
  readonly now: Operations | null
}

export function StreamDialog({ desk, opened, now }: Props) {
  const pressedBeside = useRef(false)
  const { detail, problem, asksToStop, reading } = opened
  const inFlight = detail !== null && !detail.outcome && detail.state !== 'missing'
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard has Escape
    <dialog
      class="dialog"
      aria-labelledby="opened"
      ref={open}
      onClose={() => desk.close()}
      onPointerDown={(event) => {
        pressedBeside.current = event.target === event.currentTarget
      }}
      onClick={(event) => event.target === event.currentTarget && pressedBeside.current && event.currentTarget.close()}
    >
      <div class="paper">
        <header>
          <h2 id="opened">{opened.id}</h2>
          <button type="button" class="plain" onClick={(event) => event.currentTarget.closest('dialog')?.close()}>
            Close
          </button>
        </header>
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {!detail && !problem && <p class="hint">Looking…</p>}
        {detail && <Timeline detail={detail} />}
        {detail && <Facts detail={detail} now={now} />}
        {reading && <Words reading={reading} />}
        {detail && (
          <div class="choices">
            {asksToStop ? (
              <>
                <span>Stop it for whoever asked? What is written stays.</span>
                <button type="button" class="danger" onClick={() => void desk.stop()}>
                  Stop the answer
                </button>
                <button type="button" class="plain" onClick={() => desk.askToStop(false)}>
                  Let it go on
                </button>
              </>
            ) : (
              <>
                {inFlight && !detail.stopping && (
                  <button type="button" class="plain bad" onClick={() => desk.askToStop(true)}>
                    Stop…
                  </button>
                )}
                {now?.may_read && !reading && detail.state !== 'missing' && (
                  <>
                    <button type="button" class="plain" onClick={() => desk.read()}>
                      Read it
                    </button>
                    <small>It is logged who reads.</small>
                  </>
                )}
              </>
            )}
          </div>
        )}
      </div>
    </dialog>
  )
}

function open(dialog: HTMLDialogElement | null): void {
  if (dialog && !dialog.open) dialog.showModal()
}

function Timeline({ detail }: { readonly detail: StreamOpened }) {
  const ago = (seconds: number | null) => (seconds === null ? null : `${duration(seconds)} ago`)
  const steps: readonly (readonly [string, string | null])[] = [
    ['Asked', detail.asked_at && timeOfDay(detail.asked_at)],
    ['Queued', ago(detail.age)],
    ['Taken', detail.state === 'taken' ? 'by a worker that has not begun' : null],
    ['Begun', ago(detail.writing)],
    ['Last growth', ago(detail.grown)],
    ['Ended', detail.outcome],
    ['Saved', detail.ended_at && timeOfDay(detail.ended_at)],
  ]
  return (
    <ol class="timeline" aria-label="What happened to it">
      {steps
        .filter(([, when]) => when)
        .map(([what, when]) => (
          <li key={what}>
            <strong>{what}</strong> {when}
          </li>
        ))}
    </ol>
  )
}

function Facts({ detail, now }: { readonly detail: StreamOpened; readonly now: Operations | null }) {
  const named = (id: string) => {
    const process = now?.processes?.find((each) => each.id === id)
    return process ? `${process.host}:${process.pid}` : id
  }
  const { contents } = detail
  return (
    <dl class="facts">
      <Fact name="State">
        <StateOf stream={detail} />
        {detail.again && ' Its first worker died before the first chunk.'}
        {detail.reason && ` ${detail.reason}`}
        {detail.state === 'missing' && ` Redis does not hold it: it has expired, or was lost.`}
      </Fact>
      <Fact name="Conversation">{detail.conversation ?? NOTHING}</Fact>
      <Fact name="Model">{detail.model ?? NOTHING}</Fact>
      <Fact name="In the database">{detail.status ?? NOTHING}</Fact>
      <Fact name="Worker">
        {detail.worker ? named(detail.worker) : NOTHING}
        {detail.characters_per_second !== null && `, ${rate(detail.characters_per_second)} characters a second`}
      </Fact>
      <Fact name="Viewers">
        {count(detail.viewers)}
        {detail.watched.length > 0 &&
          `: ${detail.watched.map((each) => `${count(each.viewers)} at ${named(each.process)}`).join(', ')}`}
      </Fact>
      {contents && <Fact name="Chunks">{kinds(detail.chunks, contents)}</Fact>}
      <Fact name="Memory in Redis">{size(detail.bytes)}</Fact>
      {detail.lease !== null && (
        <Fact name="Lease">
          {detail.lease >= 0 ? `${duration(detail.lease)} left` : `over for ${duration(-detail.lease)}`}
        </Fact>
      )}
      <Fact name="Position">{detail.epoch ? `${detail.epoch}:${detail.chunks}` : NOTHING}</Fact>
      <Fact name="Fence">
        {detail.fence ?? NOTHING}
        {detail.again && ', begun again'}
      </Fact>
      {detail.usage && (
        <Fact name="Tokens">
          {Object.entries(detail.usage)
            .map(([name, value]) => `${name.replace('_tokens', '')} ${count(value)}`)
            .join(', ')}
        </Fact>
      )}
    </dl>
  )
}

function kinds(chunks: number, { text, text_bytes, reasoning, reasoning_bytes, notes }: Contents): string {
  const parts = [
    text && `text ${count(text)} (${size(text_bytes)})`,
    reasoning && `reasoning ${count(reasoning)} (${size(reasoning_bytes)})`,
    notes && `notes ${count(notes)}`,
  ]
  return parts.filter(Boolean).join(', ') || count(chunks)
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Words({ reading }: { readonly reading: Reading }) {
  return (
    <section class="words" aria-label="What it says">
      {reading.reasoning && <p class="reasoning">{reading.reasoning}</p>}
      {reading.text && <p>{reading.text}</p>}
      {!reading.text && !reading.reasoning && <p class="hint">{reading.note || 'Nothing yet.'}</p>}
    </section>
  )
}
