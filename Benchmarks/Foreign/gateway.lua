-- Requests of wrk for targets at random: DAGSTORE_TARGETS names a file of them, one a line.
local requests = {}
local seed = 0
function setup(thread)
    seed = seed + 1
    thread:set("seed", seed)
end
function init()
    math.randomseed(seed)
    for line in io.lines(os.getenv("DAGSTORE_TARGETS")) do
        requests[#requests + 1] = wrk.format("GET", line)
    end
end
function request() return requests[math.random(#requests)] end
