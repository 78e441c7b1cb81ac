-- Give a stream to another worker, once, because the one that had it is gone before the first chunk of its answer. It is
-- queued anew: whoever had it is fenced, and the notes that it wrote are no more.
--
-- KEYS: 1 chunks, 2 state, 3 news channel
-- ARGV: 1 the fence of the writer that leaves; "" where it is taken for dead, which it is only past its lease,
--       2 how long the stream may wait for another worker (ms), 3 expiry (ms)
-- Returns "owed" (someone has to queue a job for it), "queued" (someone has), "alive" (it is in time), or "no": it is
-- not begun again, because it has ended, or has some of its answer, or nobody had it yet, or somebody asked to stop, or
-- it was begun again before.
--
-- It stays "owed" until queued.lua is called. So whoever dies before the job is queued leaves that to the next who looks.

local list = redis.call('TYPE', KEYS[1]).ok
if redis.call('TYPE', KEYS[2]).ok ~= 'hash' or (list ~= 'list' and list ~= 'none') then return 'no' end
local stored = redis.call('HMGET', KEYS[2], 'ended', 'epoch', 'fence', 'lease', 'taken', 'again', 'cancel')
local ended, epoch, fence, lease, taken, again, cancel = unpack(stored)
if ended then return 'no' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local in_time = lease and (tonumber(lease) or 0) > now

if in_time and again and not epoch then return again == 'owed' and 'owed' or 'queued' end
if ARGV[1] == '' then
  if in_time then return 'alive' end
elseif not epoch or fence ~= ARGV[1] then
  return 'no'
end
if again or cancel or not (epoch or taken) or (fence and not tonumber(fence)) then return 'no' end
for index = 0, redis.call('LLEN', KEYS[1]) - 1 do -- as far as the first that is no note: the next line, mostly
  if string.sub(redis.call('LINDEX', KEYS[1], index), 1, 2) ~= 'n:' then return 'no' end
end

redis.call('DEL', KEYS[1])
redis.call('HINCRBY', KEYS[2], 'fence', 1)
redis.call('HDEL', KEYS[2], 'epoch', 'taken')
redis.call('HSET', KEYS[2], 'again', 'owed', 'lease', now + tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('SPUBLISH', KEYS[3], ' 0 0 \n') -- of no epoch, so that whoever follows it reads that it is queued
return 'owed'
