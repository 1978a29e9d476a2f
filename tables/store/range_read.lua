-- Read items of a shard in the order of their keys, or of the entries of an index.
--
-- KEYS  items, order or index
-- ARGV  "ZRANGEBYLEX" or "ZREVRANGEBYLEX", its two bounds, how many at most, how many bytes are enough,
--       1: KEYS[2] is an index, whose entries end with a key and its length; else 0; 1: reply with entries; else 0
--
-- false: the table is deleted; else generation, 1 when there is no more behind these, the last entry that
-- was looked at ("": none), how many items, their blobs with a line feed between them (JSON has none, and
-- what is before it in a blob is of one length), then the entries if asked for. Where an entry has
-- no item there is only the head of a blob.
local NO_ITEM = string.rep('\0', 16)
local call, items = redis.call, KEYS[1]
local generation = call('HGET', items, '')
if not generation then
    return false
end
local most, enough, is_index = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
local entries = call(ARGV[1], KEYS[2], ARGV[2], ARGV[3], 'LIMIT', 0, most)
local found, bytes, at = {}, 0, 1
local at_once = 32 -- blobs are up to 400 KB: more when they have shown to be small

local function key_of(entry)
    local high, low = string.byte(entry, -2, -1)
    return string.sub(entry, -2 - (high * 256 + low), -3)
end

while at <= #entries and bytes < enough do
    local keys, first, last = entries, at, math.min(at + at_once - 1, #entries)
    if is_index then
        keys, first = {}, 1
        for i = at, last do
            keys[#keys + 1] = key_of(entries[i])
        end
    end
    local blobs, n = call('HMGET', items, unpack(keys, first, first + last - at)), 0
    repeat
        n = n + 1
        blobs[n] = blobs[n] or NO_ITEM
        bytes = bytes + #blobs[n]
    until n == #blobs or bytes >= enough
    found[#found + 1] = table.concat(blobs, '\n', 1, n)
    at = at + n
    at_once = math.max(1, math.min(256, math.floor((enough - bytes) * at / (bytes + 1))))
end
local is_last = at > #entries and #entries < most
local out = {generation, is_last and 1 or 0, entries[at - 1] or '', at - 1, table.concat(found, '\n')}
if ARGV[7] == '1' then
    for i = 1, at - 1 do
        out[5 + i] = entries[i]
    end
end
return out
