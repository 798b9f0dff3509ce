"""Programs that use Tidemill as anybody would."""
