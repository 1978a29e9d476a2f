-- Stands in front of channel_append.lua and channel_read.lua: what a channel's position is, and when a new epoch begins.
local call = redis.call

-- The position is one packed value: offset, bytes of the history, times of its oldest message and of the last time
-- that the keys were kept alive, ttl then, epoch, version, generation.
local function unpack_position(at)
	if not at then
		return 0, 0, 0, 0, 0, '', '', ''
	end
	return struct.unpack('>I8I8I8I8I8sss', at)
end

local function pack_position(...)
	return struct.pack('>I8I8I8I8I8sss', ...)
end

-- Must a new epoch begin? known: what subscribers have already had; asked: the generation of the store.
local function is_over(epoch, offset, generation, known_epoch, known_offset, asked)
	return generation ~= asked or known_epoch > epoch or epoch == known_epoch and offset < known_offset
end

-- Newer than all that anybody has seen: epochs begin with their time.
local function new_epoch(ending, ...)
	local clock = call('TIME')
	local born = clock[1] * 1000 + math.floor(clock[2] / 1000)
	for _, old in ipairs({...}) do
		born = math.max(born, (tonumber(string.sub(old, 1, 11), 16) or 0) + 1)
	end
	return string.format('%011x', born) .. ending
end

