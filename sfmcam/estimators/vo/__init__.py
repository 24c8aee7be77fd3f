"""Visual odometry made for short clips: corners followed from frame to frame, and one small bundle adjustment per motion model."""
