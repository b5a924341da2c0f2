"""The parts of the screens: each knows its data, none knows the application's."""
