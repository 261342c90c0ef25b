-- Lets each version of an event through once. What was seen is forgotten in two generations, so that the
-- memory is bounded.
local GENERATION = 500000
local young, old, count = {}, {}, 0

function dedup(tag, timestamp, record)
    local metadata = record["metadata"]
    if metadata == nil then
        return 0, timestamp, record
    end
    local key = metadata["uid"] .. "." .. metadata["resourceVersion"]
    if young[key] or old[key] then
        return -1, timestamp, record
    end
    if count >= GENERATION then
        young, old, count = {}, young, 0
    end
    young[key] = true
    count = count + 1
    return 0, timestamp, record
end
