-- Look at a stream without reading its text, and without changing anything.
--
-- KEYS: 1 chunks, 2 state
-- Returns nil if there is no such stream, else {now (ms), length of the list, bytes that the list takes in memory (about;
-- -1 where Redis does not say), the last entry if the stream has ended ("" else), the stored fields and their values}.

if redis.call('TYPE', KEYS[2]).ok ~= 'hash' then return nil end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'list' and kind ~= 'none' then return nil end
local time = redis.call('TIME')
local fields = redis.call('HGETALL', KEYS[2])
local bytes = kind == 'list' and redis.pcall('MEMORY', 'USAGE', KEYS[1]) or 0
local ended = redis.call('HEXISTS', KEYS[2], 'ended') == 1
return {
  time[1] * 1000 + math.floor(time[2] / 1000),
  redis.call('LLEN', KEYS[1]),
  type(bytes) == 'number' and bytes or -1,
  ended and redis.call('LINDEX', KEYS[1], -1) or '',
  fields,
}
