-- What has to be removed: what was dropped, and what was being created for too long.
--
-- KEYS  dropped
-- ARGV  how long a creation may take, in ms
--
-- field, value, and so on
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local all, found = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
    local since, rest = string.match(all[i + 1], '^(%d+):(%d+)$')
    if since and now - tonumber(since) > tonumber(ARGV[1]) then
        if since ~= '0' then
            redis.call('HSET', KEYS[1], all[i], '0:' .. rest)
        end
        found[#found + 1] = all[i]
        found[#found + 1] = rest
    end
end
return found
