import SaifuHarness

await ScenarioDriver().run()
