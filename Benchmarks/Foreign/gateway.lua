-- A request of wrk for a block at random: DAGSTORE_CIDS names a file of CIDs, one a line.
local cids = {}
for line in io.lines(os.getenv("DAGSTORE_CIDS")) do cids[#cids + 1] = "/ipfs/" .. line .. "?format=raw" end
local seed = 0
function setup(thread)
    seed = seed + 1
    thread:set("seed", seed)
end
function init() math.randomseed(seed) end
function request() return wrk.format("GET", cids[math.random(#cids)]) end
