-- Note a channel on the list of those in which connections of an edge are present; the list is what a reaper reads.
-- Each note has a greater score than the one before, so that presence_unnote.lua sees whether there was another.
-- KEYS channels of the edge   ARGV channel
-- Answer: now in ms
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], math.max(now, 1 + (tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) or 0)), ARGV[1])
return now
