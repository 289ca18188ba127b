package shared

import "encoding/json"

// Report is what a host program prints, as one line of JSON, for each scenario
// that it ran.
type Report struct {
	// Scenario is its name.
	Scenario string `json:"scenario"`
	// OK says that everything came out as the scenario expects.
	OK bool `json:"ok"`
	// Error is why not, empty if OK.
	Error string `json:"error,omitempty"`
	// Values is what the scenario saw, by name; numbers are float64 once read
	// back, durations are milliseconds.
	Values map[string]any `json:"values,omitempty"`
	// Milliseconds is how long the whole scenario took, launch and end included.
	Milliseconds float64 `json:"ms"`
	// Ended says how the plugin's end went.
	Ended Ended `json:"ended"`
	// Log is what the host's library logged at warning or above, on behalf of
	// itself or of the plugin: "LEVEL name: message key=value".
	Log []string `json:"log,omitempty"`
}

// Ended says how a plugin's process ended.
type Ended struct {
	// Exited is the library's word that the process ended.
	Exited bool `json:"exited"`
	// Killed says that the library gave up on an orderly end and killed it.
	Killed bool `json:"killed"`
	// Status is the process's end as the library logged it, empty for status 0
	// ("exit status 3", "signal: killed").
	Status string `json:"status,omitempty"`
	// Milliseconds is how long the library's kill took.
	Milliseconds float64 `json:"ms"`
}

// ParseReport reads one line of a host's output.
func ParseReport(line []byte) (Report, error) {
	var report Report
	err := json.Unmarshal(line, &report)
	return report, err
}
