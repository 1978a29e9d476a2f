-- Lock an item against other writes for a while; items_write releases it.
--
-- KEYS  locks
-- ARGV  stored key, owner, how long in ms
--
-- "ok", or "locked"
local LONGEST_MS = 10000
local time = redis.call('TIME')
local now = math.floor(time[1] * 1000 + time[2] / 1000)
local lock = redis.call('HGET', KEYS[1], ARGV[1])
if lock then
    local holder, until_ms = string.match(lock, '^(.*):(%d+)$')
    if holder ~= ARGV[2] and tonumber(until_ms) > now then
        return 'locked'
    end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. string.format('%.0f', now + ARGV[3]))
redis.call('PEXPIRE', KEYS[1], LONGEST_MS)
return 'ok'
