"""The main job to look at: `interlock demo`."""
