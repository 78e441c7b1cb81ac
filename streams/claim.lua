-- Take the streams whose time is over, and put them off, so that of all reapers only one looks after each.
--
-- KEYS: 1 unsettled, 2 looked
-- ARGV: 1 at most so many, 2 put off by (ms), 3 blind after (ms), 4 lease (ms)
-- Returns their ids.
--
-- If nobody has looked for a while, then because Redis could not be asked, and so no producer could renew its lease
-- either. Whoever is alive gets a lease's time to say so: also those whose time is over before that.

local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local stored = redis.pcall('GET', KEYS[2]) -- pcall: of another type, it is written anew below
local looked = type(stored) == 'string' and tonumber(stored) or 0
redis.call('SET', KEYS[2], string.format('%.0f', now_ms), 'PX', 3600000)
if now_ms - looked > tonumber(ARGV[3]) then
  local grace = now_ms + tonumber(ARGV[4])
  local due = redis.call('ZRANGE', KEYS[1], '-inf', grace, 'BYSCORE')
  for _, id in ipairs(due) do redis.call('ZADD', KEYS[1], grace, id) end
  return {}
end
local due = redis.call('ZRANGE', KEYS[1], '-inf', now_ms, 'BYSCORE', 'LIMIT', 0, ARGV[1])
for _, id in ipairs(due) do redis.call('ZADD', KEYS[1], now_ms + tonumber(ARGV[2]), id) end
return due
