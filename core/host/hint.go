package host

import (
	"context"
	"strings"
)

// cookieTexts are how plugins say that they were not started by a host: this
// library's, and hashicorp/go-plugin's.
var cookieTexts = []string{"this program is a plugin:", "This binary is a plugin."}

// hint says what else is known about a failure.
func (p *process) hint(ctx context.Context, e *LaunchError) string {
	if e.Exit == nil {
		return ""
	}
	for _, line := range e.Stderr {
		for _, text := range cookieTexts {
			if strings.HasPrefix(line, text) {
				return "the plugin says that its host is another application: is Config.Handshake the plugin's?"
			}
		}
	}
	return p.runner.Diagnose(ctx)
}
