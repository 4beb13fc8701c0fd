# What the world reaches: one address, TLS, a rate rule, and behind it every function that is public or for people.
# On Kobi's own host a function answers under /<function>/, as in the local stack, and the relay at the root too, where
# Meta's clients expect it. On a tenant's host there is the relay only.
locals {
  reached_functions = merge(local.public_functions, local.iap_functions)
  # Ordered: the load balancer tries one rule after another.
  reached_names = sort(keys(local.reached_functions))
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = local.reached_functions

  name                  = each.key
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloudfunctions2_function.function[each.key].name
  }
}

resource "google_compute_backend_service" "function" {
  for_each = local.reached_functions

  name                  = each.key
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  security_policy       = google_compute_security_policy.front.id

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }

  dynamic "iap" {
    for_each = each.value.callers == "iap" ? [true] : []

    content {
      enabled = true
    }
  }

  log_config {
    enable      = true
    sample_rate = 0.01
  }
}

resource "google_compute_url_map" "front" {
  name            = "meta-ads"
  default_service = google_compute_backend_service.function["capi-relay"].id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "kobi"
  }

  path_matcher {
    name            = "kobi"
    default_service = google_compute_backend_service.function["capi-relay"].id

    dynamic "route_rules" {
      for_each = local.reached_names

      content {
        priority = route_rules.key + 1
        service  = google_compute_backend_service.function[route_rules.value].id

        match_rules {
          prefix_match = "/${route_rules.value}/"
        }

        route_action {
          url_rewrite {
            path_prefix_rewrite = "/"
          }
        }
      }
    }
  }
}

resource "google_compute_global_address" "front" {
  name = "meta-ads"

  depends_on = [google_project_service.api]
}

resource "google_compute_ssl_policy" "front" {
  name            = "meta-ads"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "front" {
  name            = "meta-ads"
  url_map         = google_compute_url_map.front.id
  ssl_policy      = google_compute_ssl_policy.front.id
  certificate_map = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.front.id}"
}

resource "google_compute_global_forwarding_rule" "https" {
  name                  = "meta-ads-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.front.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.front.id
}

# Plain HTTP is only sent on: an event or a key must not travel in the open.
resource "google_compute_url_map" "to_https" {
  name = "meta-ads-to-https"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "PERMANENT_REDIRECT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "to_https" {
  name    = "meta-ads-to-https"
  url_map = google_compute_url_map.to_https.id
}

resource "google_compute_global_forwarding_rule" "http" {
  name                  = "meta-ads-http"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.front.id
  port_range            = "80"
  target                = google_compute_target_http_proxy.to_https.id
}

# A shop's server sends all its events from one address, so the limit is for floods; per tenant the relay has its own.
resource "google_compute_security_policy" "front" {
  name = "meta-ads"
  type = "CLOUD_ARMOR"

  rule {
    action      = "throttle"
    priority    = 1000
    description = "At most relay_requests_per_minute from one address"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.relay_requests_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    action      = "allow"
    priority    = 2147483647
    description = "Everything else"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  depends_on = [google_project_service.api]
}
