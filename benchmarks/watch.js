// Put into the page by benchmarks/page.py: measures what its main thread does while an answer streams in.
;(() => {
  const frames = [] // ms from the beginning of a frame until it has been drawn
  const long = [] // ms, of frames that took longer than 50 with the work before them, as the browser counts them
  const keys = [] // ms from a key until the frame that shows it has been drawn
  const drawn = new MessageChannel()
  let begun = null
  let pressed = []
  let running = true

  drawn.port1.onmessage = () => {
    const now = performance.now()
    frames.push(now - begun)
    for (const press of pressed) keys.push(now - press)
    pressed = []
    begun = null
  }
  const frame = (time) => {
    if (!running) return
    requestAnimationFrame(frame)
    if (begun !== null) return
    begun = time
    drawn.port2.postMessage(null) // arrives after this frame has been drawn
  }
  requestAnimationFrame(frame)
  addEventListener('input', (event) => pressed.push(event.timeStamp), true)
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) long.push(entry.duration)
  }).observe({ type: 'long-animation-frame' })

  window.watched = () => {
    running = false
    return { frames, keys, long }
  }
})()
