package shared

import "encoding/json"

// Report is a host program's result of one scenario, printed as one line of JSON.
type Report struct {
	// Scenario is the scenario's name.
	Scenario string `json:"scenario"`
	// OK reports success.
	OK bool `json:"ok"`
	// Error is the reason of a failure, empty if OK.
	Error string `json:"error,omitempty"`
	// Values are the scenario's observations, by name. Once read back, numbers are float64
	// and durations are milliseconds.
	Values map[string]any `json:"values,omitempty"`
	// Milliseconds is the duration of the whole scenario, including launch and end.
	Milliseconds float64 `json:"ms"`
	// Ended describes the plugin's end.
	Ended Ended `json:"ended"`
	// Log contains the messages at warning or above from the host's library, for itself or
	// for the plugin: "LEVEL name: message key=value".
	Log []string `json:"log,omitempty"`
}

// Ended describes the end of a plugin's process.
type Ended struct {
	// Exited reports that the library saw the process end.
	Exited bool `json:"exited"`
	// Killed reports that the library gave up on an orderly end and killed the process.
	Killed bool `json:"killed"`
	// Status is the exit status in the library's log ("exit status 3", "signal: killed"),
	// empty for status 0.
	Status string `json:"status,omitempty"`
	// Milliseconds is the duration of the library's kill.
	Milliseconds float64 `json:"ms"`
}

// ParseReport reads one line of a host's output.
func ParseReport(line []byte) (Report, error) {
	var report Report
	err := json.Unmarshal(line, &report)
	return report, err
}
