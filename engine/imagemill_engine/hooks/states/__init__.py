"""Step Functions as AWS runs it, where the emulator differs: one module for each difference.

Only what statemachine/preprocess.asl.yaml uses: JSONata, Lambda tasks, jobs that are waited for,
and the distributed Map.
"""
