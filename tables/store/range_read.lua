-- Read items of a shard in the order of their keys, or of the entries of an index.
--
-- KEYS  items, order or index
-- ARGV  from, to (as ZRANGEBYLEX has them; backward: the greater one first), "forward" or "backward",
--       how many at most, how many bytes are enough, length of a key's end in an entry (0: entries are keys)
--
-- false: the table is deleted; else generation, 1 when there is no more behind these, the last entry that
-- was looked at ("": none), then entry and blob of each
local generation = redis.call('HGET', KEYS[1], '')
if not generation then
    return false
end
local most, enough, trailer = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] ~= '0'
local command = ARGV[3] == 'forward' and 'ZRANGEBYLEX' or 'ZREVRANGEBYLEX'
local entries = redis.call(command, KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, most)
local out, n, bytes, at = {generation, 0, ''}, 3, 0, 1
local at_once = 32 -- blobs are up to 400 KB: more when they have shown to be small

while at <= #entries and bytes < enough do
    local keys = {}
    for j = at, math.min(at + at_once - 1, #entries) do
        local entry = entries[j]
        if trailer then
            local high, low = string.byte(entry, -2, -1)
            entry = string.sub(entry, -2 - (high * 256 + low), -3)
        end
        keys[#keys + 1] = entry
    end
    local blobs = redis.call('HMGET', KEYS[1], unpack(keys))
    for j = 1, #blobs do
        if bytes >= enough then
            break
        end
        if blobs[j] then
            out[n + 1], out[n + 2] = entries[at], blobs[j]
            n, bytes = n + 2, bytes + #blobs[j]
        end
        at = at + 1
    end
    at_once = math.max(1, math.min(256, math.floor((enough - bytes) * at / (bytes + 1))))
end
out[3] = entries[at - 1] or ''
if at > #entries and #entries < most then
    out[2] = 1
end
return out
