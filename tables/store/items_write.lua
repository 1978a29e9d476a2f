-- Write items, all or none of them, if they are as they were when they were read. The index
-- entries and the expiry of an item change with it.
--
-- KEYS  the token's, if there is one; then for each part: items, order, expiry, locks, and
--       one for each of its index entries
-- ARGV  owner of locks or "", hash of the request with a token or ""; then for each part:
--       generation of the table, stored key, "check", "put" or "delete", what is expected ("": no item,
--       8 bytes: the version, "*": anything), blob, expiry in seconds ("0": none), number of index entries,
--       and for each of them "+" or "-", and the entry
--
-- {"ok"}; {"stale"}: a table has changed or is deleted; {"locked"}: another write has the lock of an item;
-- {"changed", part from 0, its blob or nil}; {"done"}: the token has been used for this request;
-- {"other"}: for another one
local TOKEN_SECONDS = 600
local owner, request = ARGV[1], ARGV[2]
local first_key = 1

if request ~= '' then
    local known = redis.call('GET', KEYS[1])
    if known then
        return {known == request and 'done' or 'other'}
    end
    first_key = 2
end

local function is_locked(locks, key)
    local lock = redis.call('HGET', locks, key)
    if not lock then
        return false
    end
    local holder, until_ms = string.match(lock, '^(.*):(%d+)$')
    if holder == owner then
        return false
    end
    local time = redis.call('TIME')
    return tonumber(until_ms) > time[1] * 1000 + time[2] / 1000
end

local k, a, part = first_key, 3, 0
while a <= #ARGV do
    local items, key, expected = KEYS[k], ARGV[a + 1], ARGV[a + 3]
    local generation = redis.call('HGET', items, '')
    if generation ~= ARGV[a] then
        if not generation or tonumber(generation) > tonumber(ARGV[a]) then
            return {'stale'}
        end
    end
    if is_locked(KEYS[k + 3], key) then
        return {'locked'}
    end
    if expected ~= '*' then
        local now = redis.call('HGET', items, key)
        if (now and string.sub(now, 1, 8) or '') ~= expected then
            return {'changed', part, now}
        end
    end
    local entries = tonumber(ARGV[a + 6])
    k, a, part = k + 4 + entries, a + 7 + 2 * entries, part + 1
end

k, a = first_key, 3
while a <= #ARGV do
    local items, order, expiry = KEYS[k], KEYS[k + 1], KEYS[k + 2]
    local key, what, entries = ARGV[a + 1], ARGV[a + 2], tonumber(ARGV[a + 6])
    if redis.call('HGET', items, '') ~= ARGV[a] then
        redis.call('HSET', items, '', ARGV[a])
    end
    if what == 'put' then
        local length = #ARGV[a + 4]
        if length > 1024 and length > tonumber(redis.call('HGET', items, 'largest') or 0) then
            redis.call('HSET', items, 'largest', length) -- for page.c
        end
        if redis.call('HSET', items, key, ARGV[a + 4]) == 1 then
            redis.call('ZADD', order, 0, key)
        end
        if ARGV[a + 5] ~= '0' then
            redis.call('ZADD', expiry, ARGV[a + 5], key)
        else
            redis.call('ZREM', expiry, key)
        end
    elseif what == 'delete' then
        redis.call('HDEL', items, key)
        redis.call('ZREM', order, key)
        redis.call('ZREM', expiry, key)
    end
    for i = 1, entries do
        local entry = ARGV[a + 6 + 2 * i]
        if ARGV[a + 5 + 2 * i] == '+' then
            redis.call('ZADD', KEYS[k + 3 + i], 0, entry)
        else
            redis.call('ZREM', KEYS[k + 3 + i], entry)
        end
    end
    if owner ~= '' then
        redis.call('HDEL', KEYS[k + 3], key)
    end
    k, a = k + 4 + entries, a + 7 + 2 * entries
end
if request ~= '' then
    redis.call('SET', KEYS[1], request, 'EX', TOKEN_SECONDS)
end
return {'ok'}
