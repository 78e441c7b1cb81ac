-- Make the list equal to the writer's log: append entries at the index where the writer believes the list to end.
--
-- KEYS: 1 chunks, 2 state, 3 news channel
-- ARGV: 1 fence, 2 epoch, 3 index of the first entry, 4 lease (ms; 0: not renewed by this call), 5 expiry (ms),
--       6 "1" if the last entry is the end, 7 largest payload of a notification (bytes), 8… the entries
-- Returns {length of the list, 1 if someone asked to stop}; to a writer that is not the newest {-1, newest fence, 1 if
-- another worker begins the answer anew}.
--
-- A repeated call finds its entries there and adds nothing: a lost reply is harmless. A length below the given index
-- means that the list has lost entries; the writer sends them again from there.

local fence, epoch, start = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local lease, expiry = tonumber(ARGV[4]), tonumber(ARGV[5])

for place, wanted in ipairs({'list', 'hash'}) do -- of another type: whatever was here of the stream is lost
  local kind = redis.call('TYPE', KEYS[place]).ok
  if kind ~= wanted and kind ~= 'none' then redis.call('DEL', KEYS[place]) end
end
local stored = redis.call('HMGET', KEYS[2], 'fence', 'epoch', 'cancel')
local newest = tonumber(stored[1] or 0) or 0
if newest > fence or (newest == fence and stored[2] ~= epoch) then
  return {-1, newest, redis.call('HEXISTS', KEYS[2], 'again')}
end
local lost = newest < fence -- Redis forgot this writer: it was restarted empty, or failed over
if lost then
  if stored[2] ~= epoch then redis.call('DEL', KEYS[1]) end
  redis.call('HDEL', KEYS[2], 'ended')
  redis.call('HSET', KEYS[2], 'fence', fence, 'epoch', epoch)
end

local length = redis.call('LLEN', KEYS[1])
local first = 8 + length - start -- the first entry that is not in the list yet
if length >= start and first <= #ARGV then
  local sizes, bytes = {}, 0
  for i = first, #ARGV do
    redis.call('RPUSH', KEYS[1], ARGV[i])
    sizes[#sizes + 1] = #ARGV[i]
    bytes = bytes + #ARGV[i]
  end
  local stop = length + #sizes
  if length == 0 then redis.call('PEXPIRE', KEYS[1], expiry) end
  if ARGV[6] == '1' then
    redis.call('HSET', KEYS[2], 'ended', stop - 1)
    redis.call('HDEL', KEYS[2], 'lease')
    lease = 0
  end
  local header, body = epoch .. ' ' .. length .. ' ' .. stop .. ' ', ''
  if bytes <= tonumber(ARGV[7]) then
    header = header .. table.concat(sizes, ',')
    body = table.concat(ARGV, '', first)
  end
  redis.call('SPUBLISH', KEYS[3], header .. '\n' .. body)
  length = stop
end

if lease > 0 or lost then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if redis.call('HEXISTS', KEYS[2], 'ended') == 0 then
    redis.call('HSET', KEYS[2], 'lease', now + lease)
  end
  if redis.call('HGET', KEYS[2], 'seen') ~= tostring(length) then -- for who looks on; not with every chunk
    redis.call('HSET', KEYS[2], 'seen', length, 'grown', now)
  end
  redis.call('PEXPIRE', KEYS[1], expiry)
  redis.call('PEXPIRE', KEYS[2], expiry)
end
return {length, tonumber(stored[3] or 0) or 0}
