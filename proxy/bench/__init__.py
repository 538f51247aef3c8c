"""`laconic bench`: how fast texts are shortened on the machine at hand, alone and beside the llmlingua package."""
