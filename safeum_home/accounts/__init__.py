"""Sign-up, logins, devices, profiles and contacts."""
