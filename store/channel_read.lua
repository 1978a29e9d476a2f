-- A channel's position, and some of its history, oldest first. The position is kept alive, or begun anew when it is
-- missing, of another generation of the store, or behind what subscribers have already had.
-- KEYS position, history
-- ARGV 1 generation  2 end of the epoch to begin, should one be needed  3, 4 epoch and offset known to be delivered
--      5 ttl of the history in ms  6 after this offset  7 up to this one; -1: the last
--      8 most messages  9 most bytes; the first is read whatever it has  10 "newest": the last ones of the range
-- Answer: epoch, offset, offset before the oldest message, offset of the first one here, {time and message...}
local offset, bytes, oldest, alive, lives, epoch, version, generation = unpack_position(call('GET', KEYS[1]))
local ttl = tonumber(ARGV[5])
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local begins = is_over(epoch, offset, generation, ARGV[3], tonumber(ARGV[4]), ARGV[1])
if begins then
	epoch, offset, bytes, version = new_epoch(ARGV[2], epoch, ARGV[3]), 0, 0, ''
	call('DEL', KEYS[1], KEYS[2])
end

local expired = now - ttl
local n = call('LLEN', KEYS[2])
local entry = n > 0 and call('LINDEX', KEYS[2], 0)
local before = bytes
while entry and tonumber(string.sub(entry, 1, 13)) <= expired do
	call('LPOP', KEYS[2])
	n, bytes = n - 1, bytes - #entry
	entry = n > 0 and call('LINDEX', KEYS[2], 0)
end
if n == 0 then
	bytes = 0
end
if begins or bytes ~= before then
	call('SET', KEYS[1], pack_position(offset, bytes, oldest, alive, lives, epoch, version, ARGV[1]), 'KEEPTTL')
end
call('PEXPIRE', KEYS[1], 2 * ttl + 3600000)

local base = offset - n -- the message of offset o is at index o - base - 1
local first, last = math.max(tonumber(ARGV[6]), base) + 1, tonumber(ARGV[7])
local most, room = tonumber(ARGV[8]), tonumber(ARGV[9])
if last < 0 or last > offset then
	last = offset
end
local newest = ARGV[10] == 'newest'
if last - first + 1 > most then
	if newest then
		first = last - most + 1
	else
		last = first + most - 1
	end
end
local found = first <= last and call('LRANGE', KEYS[2], first - base - 1, last - base - 1) or {}
local read, used = {}, 0
for i = 1, #found do
	entry = found[newest and #found + 1 - i or i]
	used = used + #entry
	if i > 1 and used > room then
		break
	end
	read[i] = entry
end
if newest then -- they were collected from the newest on
	first = last - #read + 1
	for i = 1, math.floor(#read / 2) do
		read[i], read[#read + 1 - i] = read[#read + 1 - i], read[i]
	end
end
return {epoch, offset, base, first, read}
