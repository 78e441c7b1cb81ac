// Put into the page by benchmarks/page.py: measures what its main thread does while an answer streams in.
;(() => {
  const frames = [] // ms from the beginning of a frame until it has been drawn
  const keys = [] // ms from a key until the frame that shows it has been drawn
  const tasks = [] // ms, of those that took longer than 50
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
    for (const entry of list.getEntries()) tasks.push(entry.duration)
  }).observe({ type: 'longtask' })

  window.watched = () => {
    running = false
    return { frames, keys, tasks }
  }
})()
